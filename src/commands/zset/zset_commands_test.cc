// SPDX-License-Identifier: BSD-3-Clause
// Sorted set commands: replies and errors to the letter. Encodings, events and what needs many
// members are in zset_effects_test.cc.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class ZSetCommandsTest : public CommandTest {};

TEST_F(ZSetCommandsTest, Add) {
  Check(R"(
    ZADD z 1 one 2 two 3 three => :3|
    ZADD z 4 three 5 five => :1|
    ZADD z CH 1 one 6 five 7 new => :2|
    ZADD z XX 9 nope => :0|
    ZADD z XX CH 2 one 9 nope => :1|
    ZADD z NX 9 one 8 eight => :1|
    ZADD z GT CH 1 one 9 two => :1|
    ZADD z LT CH 1 one 10 two => :1|
    ZADD z GT XX CH 3 one 9 absent => :1|
    ZADD z INCR 5 one => $1|8|
    ZADD z NX INCR 5 one => $-1|
    ZADD z XX INCR 5 absent => $-1|
    ZADD z GT INCR -1 one => $-1|
    ZADD none XX 1 a => :0|
    ZADD none XX INCR 1 a => $-1|
    EXISTS none => :0|
    ZINCRBY z -2.5 one => $3|5.5|
    ZINCRBY z 1 fresh => $1|1|
    ZRANGE z 0 -1 WITHSCORES => *14|$5|fresh|$1|1|$5|three|$1|4|$3|one|$3|5.5|$4|five|$1|6|$3|new|\
        $1|7|$5|eight|$1|8|$3|two|$1|9|
    ZADD z inf i -inf j 0x10 k 1e2 l => :4|
    ZMSCORE z i j k l => *4|$3|inf|$4|-inf|$2|16|$3|100|
    ZINCRBY z -inf i => -ERR resulting score is not a number (NaN)|
    ZADD z INCR nan i => -ERR value is not a valid float|
    ZADD z 1 => -ERR wrong number of arguments for 'zadd' command|
    ZADD z 1 a 2 => -ERR syntax error|
    ZADD z NX => -ERR wrong number of arguments for 'zadd' command|
    ZADD z NX XX => -ERR syntax error|
    ZADD z nx xx 1 a => -ERR XX and NX options at the same time are not compatible|
    ZADD z gt nx 1 a => -ERR GT, LT, and/or NX options at the same time are not compatible|
    ZADD z lt nx 1 a => -ERR GT, LT, and/or NX options at the same time are not compatible|
    ZADD z gt lt 1 a => -ERR GT, LT, and/or NX options at the same time are not compatible|
    ZADD z incr 1 a 2 b => -ERR INCR option supports a single increment-element pair|
    ZADD z x a => -ERR value is not a valid float|
    ZADD z 1 a x b => -ERR value is not a valid float|
    ZSCORE z a => $-1|
    ZADD z nan a => -ERR value is not a valid float|
    SET s x => +OK|
    ZADD s nan a => -ERR value is not a valid float|
    ZADD s 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZINCRBY s x a => -ERR value is not a valid float|
    ZINCRBY s 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZINCRBY z x a => -ERR value is not a valid float|
    ZINCRBY z 1 => -ERR wrong number of arguments for 'zincrby' command|
  )");
}

TEST_F(ZSetCommandsTest, Lookup) {
  Check(R"(
    ZADD z 1 a 2 b 2.5 c 3 d => :4|
    ZCARD z => :4|
    ZCARD none => :0|
    ZSCORE z c => $3|2.5|
    ZSCORE z no => $-1|
    ZSCORE none c => $-1|
    ZMSCORE z a no d => *3|$1|1|$-1|$1|3|
    ZMSCORE none a b => *2|$-1|$-1|
    ZRANK z a => :0|
    ZRANK z d => :3|
    ZREVRANK z a => :3|
    ZRANK z no => $-1|
    ZRANK none a => $-1|
    ZREVRANK none a => $-1|
    ZCOUNT z 2 3 => :3|
    ZCOUNT z (2 3 => :2|
    ZCOUNT z -inf (2.5 => :2|
    ZCOUNT z 5 1 => :0|
    ZCOUNT none 1 2 => :0|
    ZCOUNT z a 1 => -ERR min or max is not a float|
    ZCOUNT z 1 (b => -ERR min or max is not a float|
    ZCOUNT z nan 1 => -ERR min or max is not a float|
    ZLEXCOUNT z - + => :4|
    ZLEXCOUNT z [b (d => :2|
    ZLEXCOUNT z + - => :0|
    ZLEXCOUNT none - + => :0|
    ZLEXCOUNT z b [d => -ERR min or max not valid string range item|
    ZLEXCOUNT z [b d => -ERR min or max not valid string range item|
    SET s x => +OK|
    ZCARD s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZSCORE s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZMSCORE s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANK s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREVRANK s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZCOUNT s 1 2 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZCOUNT s a b => -ERR min or max is not a float|
    ZLEXCOUNT s - + => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZLEXCOUNT s a b => -ERR min or max not valid string range item|
    ZCARD => -ERR wrong number of arguments for 'zcard' command|
    ZSCORE z => -ERR wrong number of arguments for 'zscore' command|
    ZMSCORE z => -ERR wrong number of arguments for 'zmscore' command|
    ZRANK z => -ERR wrong number of arguments for 'zrank' command|
    ZCOUNT z 1 => -ERR wrong number of arguments for 'zcount' command|
    ZLEXCOUNT z - => -ERR wrong number of arguments for 'zlexcount' command|
    ZSCAN z 0 => *2|$1|0|*8|$1|a|$1|1|$1|b|$1|2|$1|c|$3|2.5|$1|d|$1|3|
    ZSCAN z 0 MATCH [ab] COUNT 3 => *2|$1|0|*4|$1|a|$1|1|$1|b|$1|2|
    ZSCAN none 0 FOO => *2|$1|0|*0|
    ZSCAN s x => -ERR invalid cursor|
    ZSCAN s 0 FOO => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZSCAN z 0 FOO => -ERR syntax error|
  )");
}

TEST_F(ZSetCommandsTest, Range) {
  Check(R"(
    ZADD z 1 a 2 b 2.5 c 3 d 4 e => :5|
    ZRANGE z 0 -1 => *5|$1|a|$1|b|$1|c|$1|d|$1|e|
    ZRANGE z 1 2 WITHSCORES => *4|$1|b|$1|2|$1|c|$3|2.5|
    ZRANGE z -2 99 => *2|$1|d|$1|e|
    ZRANGE z 3 1 => *0|
    ZRANGE z 9 10 => *0|
    ZRANGE z 0 1 REV => *2|$1|e|$1|d|
    ZRANGE z 0 1 REV WITHSCORES => *4|$1|e|$1|4|$1|d|$1|3|
    ZREVRANGE z 0 1 WITHSCORES => *4|$1|e|$1|4|$1|d|$1|3|
    ZREVRANGE z -1 -1 => *1|$1|a|
    ZRANGE z 2 3 BYSCORE => *3|$1|b|$1|c|$1|d|
    ZRANGE z (2 (4 BYSCORE WITHSCORES => *4|$1|c|$3|2.5|$1|d|$1|3|
    ZRANGE z 4 (2 BYSCORE REV => *3|$1|e|$1|d|$1|c|
    ZRANGE z -inf +inf BYSCORE LIMIT 1 2 => *2|$1|b|$1|c|
    ZRANGE z +inf -inf BYSCORE REV LIMIT 1 2 => *2|$1|d|$1|c|
    ZRANGE z -inf +inf BYSCORE LIMIT 1 -1 => *4|$1|b|$1|c|$1|d|$1|e|
    ZRANGE z -inf +inf BYSCORE LIMIT -1 2 => *0|
    ZRANGE z -inf +inf BYSCORE LIMIT 9 2 => *0|
    ZRANGE z -inf +inf BYSCORE LIMIT 0 0 => *0|
    ZRANGE z 0 -1 LIMIT 0 -1 => *5|$1|a|$1|b|$1|c|$1|d|$1|e|
    ZRANGEBYSCORE z 1 2.5 => *3|$1|a|$1|b|$1|c|
    ZRANGEBYSCORE z (1 3 WITHSCORES LIMIT 0 2 => *4|$1|b|$1|2|$1|c|$3|2.5|
    ZREVRANGEBYSCORE z 3 (1 LIMIT 1 5 => *2|$1|c|$1|b|
    ZREVRANGEBYSCORE z 1 3 => *0|
    ZADD x 0 a 0 b 0 c 0 d => :4|
    ZRANGEBYLEX x - + => *4|$1|a|$1|b|$1|c|$1|d|
    ZRANGEBYLEX x [b + => *3|$1|b|$1|c|$1|d|
    ZRANGEBYLEX x (b [d LIMIT 1 1 => *1|$1|d|
    ZREVRANGEBYLEX x [c - => *3|$1|c|$1|b|$1|a|
    ZREVRANGEBYLEX x + (b LIMIT 0 1 => *1|$1|d|
    ZRANGE x [a (c BYLEX => *2|$1|a|$1|b|
    ZRANGE x (c [a BYLEX REV => *2|$1|b|$1|a|
    ZRANGE z 0 -1 LIMIT 0 1 => -ERR syntax error, LIMIT is only supported in combination with \
        either BYSCORE or BYLEX|
    ZREVRANGE z 0 -1 LIMIT 0 1 => -ERR syntax error, LIMIT is only supported in combination with \
        either BYSCORE or BYLEX|
    ZRANGE z a b => -ERR value is not an integer or out of range|
    ZRANGE z a b BYSCORE => -ERR min or max is not a float|
    ZRANGE z a b BYLEX => -ERR min or max not valid string range item|
    ZRANGE z [a [b BYLEX WITHSCORES => -ERR syntax error, WITHSCORES not supported in combination \
        with BYLEX|
    ZRANGEBYLEX z - + WITHSCORES => -ERR syntax error, WITHSCORES not supported in combination \
        with BYLEX|
    ZRANGE z 0 1 BYLEX BYSCORE => -ERR syntax error|
    ZRANGE z 0 1 REV REV => -ERR syntax error|
    ZRANGE z 0 1 FOO => -ERR syntax error|
    ZRANGE z 0 1 BYSCORE LIMIT 1 => -ERR syntax error|
    ZRANGE z 0 1 BYSCORE LIMIT x 1 => -ERR value is not an integer or out of range|
    ZRANGE z 0 1 BYSCORE LIMIT 1 x => -ERR value is not an integer or out of range|
    ZREVRANGE z 0 -1 REV => -ERR syntax error|
    ZREVRANGE z 0 -1 BYSCORE => -ERR syntax error|
    ZRANGEBYSCORE z 0 -1 REV => -ERR syntax error|
    ZRANGEBYSCORE z 0 x => -ERR min or max is not a float|
    ZRANGEBYLEX z a + => -ERR min or max not valid string range item|
    ZRANGE none a b => -ERR value is not an integer or out of range|
    ZRANGE none 0 1 => *0|
    ZRANGEBYSCORE none 0 1 => *0|
    SET s x => +OK|
    ZRANGE s a b => -ERR value is not an integer or out of range|
    ZRANGE s 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREVRANGE s 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANGEBYSCORE s 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREVRANGEBYLEX s + - => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANGE z 0 => -ERR wrong number of arguments for 'zrange' command|
    ZRANGEBYLEX z - => -ERR wrong number of arguments for 'zrangebylex' command|
  )");
}

TEST_F(ZSetCommandsTest, RangeStore) {
  Check(R"(
    ZADD z 1 a 2 b 2.5 c 3 d 4 e => :5|
    ZRANGESTORE d z 0 1 => :2|
    ZRANGE d 0 -1 WITHSCORES => *4|$1|a|$1|1|$1|b|$1|2|
    ZRANGESTORE d z 0 1 REV => :2|
    ZRANGE d 0 -1 WITHSCORES => *4|$1|d|$1|3|$1|e|$1|4|
    ZRANGESTORE d z (2 +inf BYSCORE LIMIT 1 1 => :1|
    ZRANGE d 0 -1 WITHSCORES => *2|$1|d|$1|3|
    ZRANGESTORE d z - [b BYLEX => :2|
    ZRANGESTORE z z 1 2 => :2|
    ZRANGE z 0 -1 => *2|$1|b|$1|c|
    ZRANGESTORE d z 5 6 => :0|
    EXISTS d => :0|
    SET d x => +OK|
    ZRANGESTORE d none 0 1 => :0|
    EXISTS d => :0|
    SET s x => +OK|
    ZRANGESTORE s z 0 0 => :1|
    TYPE s => +zset|
    SET s x => +OK|
    ZRANGESTORE d s 5 6 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANGESTORE d none a b => -ERR value is not an integer or out of range|
    ZRANGESTORE d z 0 1 WITHSCORES => -ERR syntax error|
    ZRANGESTORE d z 0 1 LIMIT 0 1 => -ERR syntax error, LIMIT is only supported in combination \
        with either BYSCORE or BYLEX|
    ZRANGESTORE d z 0 => -ERR wrong number of arguments for 'zrangestore' command|
  )");
}

TEST_F(ZSetCommandsTest, Remove) {
  Check(R"(
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f => :6|
    ZREM z a a nope => :1|
    ZREM none a => :0|
    ZREMRANGEBYRANK z -1 -1 => :1|
    ZREMRANGEBYSCORE z (2 3 => :1|
    ZREMRANGEBYSCORE z 9 10 => :0|
    ZREMRANGEBYLEX z [b [b => :1|
    ZRANGE z 0 -1 => *2|$1|d|$1|e|
    ZREMRANGEBYRANK z 0 9 => :2|
    EXISTS z => :0|
    ZADD z 1 a => :1|
    ZREM z a => :1|
    EXISTS z => :0|
    ZREMRANGEBYRANK none 0 0 => :0|
    ZREMRANGEBYSCORE none 0 0 => :0|
    ZREMRANGEBYLEX none - + => :0|
    SET s x => +OK|
    ZREM s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREMRANGEBYRANK s 0 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREMRANGEBYSCORE s 0 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREMRANGEBYLEX s - + => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZREMRANGEBYRANK s x 0 => -ERR value is not an integer or out of range|
    ZREMRANGEBYSCORE s x 0 => -ERR min or max is not a float|
    ZREMRANGEBYLEX s x 0 => -ERR min or max not valid string range item|
    ZREM z => -ERR wrong number of arguments for 'zrem' command|
    ZREMRANGEBYRANK z 0 => -ERR wrong number of arguments for 'zremrangebyrank' command|
  )");
}

TEST_F(ZSetCommandsTest, Pop) {
  Check(R"(
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f => :6|
    ZPOPMIN z => *2|$1|a|$1|1|
    ZPOPMAX z => *2|$1|f|$1|6|
    ZPOPMIN z 2 => *4|$1|b|$1|2|$1|c|$1|3|
    ZPOPMAX z 9 => *4|$1|e|$1|5|$1|d|$1|4|
    EXISTS z => :0|
    ZPOPMIN z => *0|
    ZPOPMAX z 2 => *0|
    ZADD z 1 a 2 b 3 c => :3|
    ZPOPMIN z 0 => *0|
    ZMPOP 2 none z MIN => *2|$1|z|*1|*2|$1|a|$1|1|
    ZMPOP 1 z max COUNT 9 => *2|$1|z|*2|*2|$1|c|$1|3|*2|$1|b|$1|2|
    EXISTS z => :0|
    ZMPOP 1 none MIN => *-1|
    ZADD z 1 a => :1|
    SET s x => +OK|
    ZPOPMIN s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZPOPMIN s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZPOPMIN s x => -ERR value is out of range, must be positive|
    ZPOPMIN z 1 2 => -ERR syntax error|
    ZPOPMAX z x => -ERR value is out of range, must be positive|
    ZPOPMIN z -1 => -ERR value is out of range, must be positive|
    ZMPOP 0 z MIN => -ERR numkeys should be greater than 0|
    ZMPOP x z MIN => -ERR numkeys should be greater than 0|
    ZMPOP 2 z MIN => -ERR syntax error|
    ZMPOP 1 z FOO => -ERR syntax error|
    ZMPOP 1 z MIN COUNT 0 => -ERR count should be greater than 0|
    ZMPOP 1 z MIN COUNT => -ERR syntax error|
    ZMPOP 1 z MIN COUNT 1 COUNT 1 => -ERR syntax error|
    ZMPOP 1 z MIN FOO 1 => -ERR syntax error|
    ZMPOP 2 none s MIN => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZMPOP 1 z => -ERR wrong number of arguments for 'zmpop' command|
    ZPOPMIN => -ERR wrong number of arguments for 'zpopmin' command|
  )");
}

TEST_F(ZSetCommandsTest, Random) {
  Check(R"(
    ZRANDMEMBER none => $-1|
    ZRANDMEMBER none 1 => *0|
    ZADD z 1.5 a => :1|
    ZRANDMEMBER z => $1|a|
    ZRANDMEMBER z 0 => *0|
    ZRANDMEMBER z 4 => *1|$1|a|
    ZRANDMEMBER z -2 => *2|$1|a|$1|a|
    ZRANDMEMBER z 4 WITHSCORES => *2|$1|a|$3|1.5|
    ZRANDMEMBER z -2 WITHSCORES => *4|$1|a|$3|1.5|$1|a|$3|1.5|
    ZRANDMEMBER z x => -ERR value is not an integer or out of range|
    ZRANDMEMBER z 1 foo => -ERR syntax error|
    ZRANDMEMBER z 1 WITHSCORES x => -ERR syntax error|
    ZRANDMEMBER z -9223372036854775808 => -ERR value is out of range, value must between \
        -9223372036854775807 and 9223372036854775807|
    ZRANDMEMBER z -9223372036854775807 WITHSCORES => -ERR value is out of range|
    SET s x => +OK|
    ZRANDMEMBER s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANDMEMBER s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZRANDMEMBER => -ERR wrong number of arguments for 'zrandmember' command|
  )");
}

TEST_F(ZSetCommandsTest, Algebra) {
  Check(R"(
    ZADD a 1 x 2 y 3 z => :3|
    ZADD b 10 y 20 z 30 w => :3|
    SADD st x w => :2|
    ZUNION 2 a b WITHSCORES => *8|$1|x|$1|1|$1|y|$2|12|$1|z|$2|23|$1|w|$2|30|
    ZUNION 2 a b => *4|$1|x|$1|y|$1|z|$1|w|
    ZINTER 2 a b WITHSCORES => *4|$1|y|$2|12|$1|z|$2|23|
    ZDIFF 2 a b WITHSCORES => *2|$1|x|$1|1|
    ZDIFF 1 a => *3|$1|x|$1|y|$1|z|
    ZUNION 2 a b WEIGHTS 2 0.5 WITHSCORES => *8|$1|x|$1|2|$1|y|$1|9|$1|w|$2|15|$1|z|$2|16|
    ZUNION 2 a b AGGREGATE MIN WITHSCORES => *8|$1|x|$1|1|$1|y|$1|2|$1|z|$1|3|$1|w|$2|30|
    ZUNION 2 a b AGGREGATE MAX WITHSCORES => *8|$1|x|$1|1|$1|y|$2|10|$1|z|$2|20|$1|w|$2|30|
    ZINTER 2 a b WEIGHTS 10 1 AGGREGATE MAX WITHSCORES => *4|$1|y|$2|20|$1|z|$2|30|
    ZUNION 3 a st none WITHSCORES => *8|$1|w|$1|1|$1|x|$1|2|$1|y|$1|2|$1|z|$1|3|
    ZINTER 2 a st WITHSCORES => *2|$1|x|$1|2|
    ZDIFF 2 a st => *2|$1|y|$1|z|
    ZDIFF 2 st a WITHSCORES => *2|$1|w|$1|1|
    ZINTER 2 a none => *0|
    ZUNION 1 none => *0|
    ZDIFF 2 none a => *0|
    ZUNION 2 a a WITHSCORES => *6|$1|x|$1|2|$1|y|$1|4|$1|z|$1|6|
    ZINTER 2 a a WITHSCORES => *6|$1|x|$1|2|$1|y|$1|4|$1|z|$1|6|
    ZDIFF 2 a a => *0|
    ZUNIONSTORE d 2 a b => :4|
    ZRANGE d 0 -1 WITHSCORES => *8|$1|x|$1|1|$1|y|$2|12|$1|z|$2|23|$1|w|$2|30|
    ZUNIONSTORE d 1 a WEIGHTS 2 AGGREGATE MAX AGGREGATE MIN WEIGHTS 3 => :3|
    ZRANGE d 0 -1 WITHSCORES => *6|$1|x|$1|3|$1|y|$1|6|$1|z|$1|9|
    ZINTERSTORE d 2 a b AGGREGATE MIN => :2|
    ZRANGE d 0 -1 WITHSCORES => *4|$1|y|$1|2|$1|z|$1|3|
    ZDIFFSTORE d 2 a b => :1|
    ZRANGE d 0 -1 WITHSCORES => *2|$1|x|$1|1|
    ZINTERSTORE d 2 a none => :0|
    EXISTS d => :0|
    ZUNIONSTORE a 1 a WEIGHTS -1 => :3|
    ZRANGE a 0 -1 WITHSCORES => *6|$1|z|$2|-3|$1|y|$2|-2|$1|x|$2|-1|
    ZADD i1 inf m => :1|
    ZADD i2 -inf m => :1|
    ZUNION 2 i1 i2 WITHSCORES => *2|$1|m|$1|0|
    ZINTER 2 i1 i2 WITHSCORES => *2|$1|m|$1|0|
    ZUNION 1 i1 WEIGHTS 0 WITHSCORES => *2|$1|m|$1|0|
    ZINTERCARD 2 a b => :2|
    ZINTERCARD 2 a b LIMIT 1 => :1|
    ZINTERCARD 2 a st => :1|
    ZINTERCARD 1 none => :0|
  )");
}

TEST_F(ZSetCommandsTest, AlgebraErrors) {
  Check(R"(
    ZADD a 1 x 2 y 3 z => :3|
    ZADD b 10 y 20 z 30 w => :3|
    SADD st x w => :2|
    ZUNION 0 a => -ERR at least 1 input key is needed for 'zunion' command|
    ZUNION x a => -ERR value is not an integer or out of range|
    ZUNION 2 a => -ERR syntax error|
    ZUNIONSTORE d 0 a => -ERR at least 1 input key is needed for 'zunionstore' command|
    ZUNIONSTORE d x a => -ERR value is not an integer or out of range|
    ZINTERSTORE d 2 a => -ERR syntax error|
    ZDIFFSTORE d 0 a => -ERR at least 1 input key is needed for 'zdiffstore' command|
    ZINTERCARD 0 a => -ERR at least 1 input key is needed for 'zintercard' command|
    ZINTERCARD x a => -ERR value is not an integer or out of range|
    ZINTERCARD 2 a => -ERR syntax error|
    ZINTERCARD 1 a LIMIT -1 => -ERR LIMIT can't be negative|
    ZINTERCARD 1 a LIMIT x => -ERR LIMIT can't be negative|
    ZINTERCARD 1 a LIMIT => -ERR syntax error|
    ZINTERCARD 1 a WITHSCORES => -ERR syntax error|
    ZINTERCARD 1 a WEIGHTS 1 => -ERR syntax error|
    SET s x => +OK|
    ZUNIONSTORE d 1 s FOO => -WRONGTYPE Operation against a key holding the wrong kind of value|
    ZUNION 1 a FOO => -ERR syntax error|
    ZUNIONSTORE d 1 a FOO => -ERR syntax error|
    ZUNIONSTORE d 1 a WEIGHTS => -ERR syntax error|
    ZUNIONSTORE d 1 a WEIGHTS x => -ERR weight value is not a float|
    ZUNIONSTORE d 1 a WEIGHTS nan => -ERR weight value is not a float|
    ZUNIONSTORE d 1 a AGGREGATE foo => -ERR syntax error|
    ZUNIONSTORE d 1 a AGGREGATE => -ERR syntax error|
    ZUNIONSTORE d 1 a WITHSCORES => -ERR syntax error|
    ZDIFF 1 a WEIGHTS 1 => -ERR syntax error|
    ZDIFF 1 a AGGREGATE sum => -ERR syntax error|
    ZDIFFSTORE d 1 a WITHSCORES => -ERR syntax error|
    ZUNION 1 => -ERR wrong number of arguments for 'zunion' command|
    ZUNIONSTORE d 1 => -ERR wrong number of arguments for 'zunionstore' command|
  )");
}

TEST_F(ZSetCommandsTest, Resp3) {
  fixture_.SetProtocol(3);
  Check(R"(
    ZADD z 1 one 2 two 3.5 three => :3|
    ZRANGE z 0 -1 WITHSCORES => *3|*2|$3|one|,1|*2|$3|two|,2|*2|$5|three|,3.5|
    ZRANGE z 0 -1 => *3|$3|one|$3|two|$5|three|
    ZREVRANGEBYSCORE z 5 2 WITHSCORES => *2|*2|$5|three|,3.5|*2|$3|two|,2|
    ZSCORE z three => ,3.5|
    ZSCORE z nope => _|
    ZMSCORE z one nope => *2|,1|_|
    ZADD z INCR 1 one => ,2|
    ZADD z NX INCR 1 one => _|
    ZINCRBY z -1 one => ,1|
    ZADD z inf up -inf down => :2|
    ZMSCORE z up down => *2|,inf|,-inf|
    ZREM z up down => :2|
    ZRANK z nope => _|
    ZUNION 1 z WITHSCORES => *3|*2|$3|one|,1|*2|$3|two|,2|*2|$5|three|,3.5|
    ZUNION 1 z => *3|$3|one|$3|two|$5|three|
    ZDIFF 1 z WITHSCORES => *3|*2|$3|one|,1|*2|$3|two|,2|*2|$5|three|,3.5|
    ZRANDMEMBER none => _|
    ZSCAN z 0 => *2|$1|0|*6|$3|one|$1|1|$3|two|$1|2|$5|three|$3|3.5|
    ZPOPMIN z => *2|$3|one|,1|
    ZPOPMAX z 1 => *1|*2|$5|three|,3.5|
    ZPOPMIN none => *0|
    ZPOPMIN none 1 => *0|
    ZMPOP 1 z MIN => *2|$1|z|*1|*2|$3|two|,2|
    ZMPOP 1 z MIN => _|
  )");
}

// Later than the 7.0 that the transcripts were compared with.
TEST_F(ZSetCommandsTest, RankWithScore) {
  Do("ZADD z 1 a 2.5 b");
  Do("SET s x");
  Check(R"(
    ZRANK z b WITHSCORE => *2|:1|$3|2.5|
    ZREVRANK z b withscore => *2|:0|$3|2.5|
    ZRANK z no WITHSCORE => *-1|
    ZRANK none b WITHSCORE => *-1|
    ZRANK z b WITHSCORES => -ERR syntax error|
    ZRANK z b WITHSCORE x => -ERR wrong number of arguments for 'zrank' command|
    ZRANK s b WITHSCORE => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
  fixture_.SetProtocol(3);
  Check(R"(
    ZRANK z b WITHSCORE => *2|:1|,2.5|
    ZRANK z no WITHSCORE => _|
  )");
}

// What infinite scores and weights come to: zero times infinity is 0 in a union; in an intersection
// it makes the sum 0, and is passed over by MIN and MAX.
TEST_F(ZSetCommandsTest, InfinitiesCombine) {
  Do("ZADD i -inf m");
  Check(R"(
    ZUNION 2 i i WEIGHTS -inf 0 WITHSCORES => *2|$1|m|$3|inf|
    ZINTER 2 i i WEIGHTS -inf 0 WITHSCORES => *2|$1|m|$1|0|
    ZINTER 2 i i WEIGHTS -inf 0 AGGREGATE MIN WITHSCORES => *2|$1|m|$3|inf|
  )");
}

TEST_F(ZSetCommandsTest, ScoresAreShortest) {
  Check(R"(
    ZADD z 0.1 a 3.3333333333333335 b 1e20 c 1e-7 d 17179869184 e -0 f => :6|
    ZMSCORE z a b c d e => *5|$3|0.1|$18|3.3333333333333335|$5|1e+20|$4|1e-7|$11|17179869184|
    ZINCRBY z 0.2 a => $19|0.30000000000000004|
    ZSCAN z 0 MATCH a => *2|$1|0|*2|$1|a|$19|0.30000000000000004|
  )");
}

}  // namespace
}  // namespace backplane
