// SPDX-License-Identifier: BSD-3-Clause
// List commands: replies and errors to the letter, encodings, events, propagation.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class ListCommandsTest : public CommandTest {};

TEST_F(ListCommandsTest, Push) {
  Check(R"(
    RPUSH l a b => :2|
    LPUSH l c d => :4|
    LRANGE l 0 -1 => *4|$1|d|$1|c|$1|a|$1|b|
    LPUSHX none x => :0|
    RPUSHX none x => :0|
    EXISTS none => :0|
    LPUSHX l x => :5|
    RPUSHX l y z => :7|
    LLEN l => :7|
    LLEN none => :0|
    SET s x => +OK|
    LPUSH s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    RPUSHX s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LPUSH l => -ERR wrong number of arguments for 'lpush' command|
    RPUSHX l => -ERR wrong number of arguments for 'rpushx' command|
    LLEN => -ERR wrong number of arguments for 'llen' command|
    RPUSH n 1 -5 99999999999 007 "" => :5|
    LRANGE n 0 -1 => *5|$1|1|$2|-5|$11|99999999999|$3|007|$0||
  )");
}

TEST_F(ListCommandsTest, Pop) {
  Check(R"(
    RPUSH l a b c d e f => :6|
    LPOP l => $1|a|
    RPOP l => $1|f|
    LPOP l 2 => *2|$1|b|$1|c|
    RPOP l 2 => *2|$1|e|$1|d|
    EXISTS l => :0|
    LPOP l => $-1|
    LPOP l 1 => *-1|
    RPUSH l a => :1|
    LPOP l 0 => *0|
    RPOP l 10 => *1|$1|a|
    EXISTS l => :0|
    RPUSH l a => :1|
    SET s x => +OK|
    LPOP s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LPOP s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LPOP s x => -ERR value is out of range, must be positive|
    LPOP l x => -ERR value is out of range, must be positive|
    RPOP l -1 => -ERR value is out of range, must be positive|
    LPOP l 1 2 => -ERR wrong number of arguments for 'lpop' command|
    LPOP => -ERR wrong number of arguments for 'lpop' command|
  )");
}

TEST_F(ListCommandsTest, ReadAndSetByIndex) {
  Check(R"(
    RPUSH l a b c 10 => :4|
    LINDEX l 0 => $1|a|
    LINDEX l -1 => $2|10|
    LINDEX l 4 => $-1|
    LINDEX l -5 => $-1|
    LINDEX l x => -ERR value is not an integer or out of range|
    LINDEX none 0 => $-1|
    LINDEX none x => $-1|
    SET s x => +OK|
    LINDEX s x => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LINDEX l => -ERR wrong number of arguments for 'lindex' command|
    LRANGE l 1 2 => *2|$1|b|$1|c|
    LRANGE l -2 100 => *2|$1|c|$2|10|
    LRANGE l -100 0 => *1|$1|a|
    LRANGE l 3 1 => *0|
    LRANGE l 5 9 => *0|
    LRANGE l 0 -9223372036854775808 => *0|
    LRANGE l x 0 => -ERR value is not an integer or out of range|
    LRANGE l 0 1.5 => -ERR value is not an integer or out of range|
    LRANGE s x 0 => -ERR value is not an integer or out of range|
    LRANGE s 0 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LRANGE none 0 0 => *0|
    LRANGE l 0 => -ERR wrong number of arguments for 'lrange' command|
    LSET l 1 B => +OK|
    LSET l -1 D => +OK|
    LRANGE l 0 -1 => *4|$1|a|$1|B|$1|c|$1|D|
    LSET l 4 x => -ERR index out of range|
    LSET l -5 x => -ERR index out of range|
    LSET l x x => -ERR value is not an integer or out of range|
    LSET none 0 x => -ERR no such key|
    LSET none x x => -ERR no such key|
    LSET s 0 x => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LSET l 0 => -ERR wrong number of arguments for 'lset' command|
  )");
}

TEST_F(ListCommandsTest, TrimInsertRemove) {
  Check(R"(
    RPUSH l a b c b d => :5|
    LTRIM l 1 3 => +OK|
    LRANGE l 0 -1 => *3|$1|b|$1|c|$1|b|
    LTRIM l 0 -1 => +OK|
    LTRIM l 5 9 => +OK|
    EXISTS l => :0|
    LTRIM none 0 0 => +OK|
    SET s x => +OK|
    LTRIM s x 0 => -ERR value is not an integer or out of range|
    LTRIM s 0 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LTRIM l 0 => -ERR wrong number of arguments for 'ltrim' command|
    RPUSH l a b c => :3|
    LINSERT l before b x => :4|
    LINSERT l AFTER b y => :5|
    LRANGE l 0 -1 => *5|$1|a|$1|x|$1|b|$1|y|$1|c|
    LINSERT l before zz x => :-1|
    LINSERT none before a x => :0|
    LINSERT l beside a x => -ERR syntax error|
    LINSERT s beside a x => -ERR syntax error|
    LINSERT s before a x => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LINSERT l before a => -ERR wrong number of arguments for 'linsert' command|
    DEL l => :1|
    RPUSH l a b a c a 1 a => :7|
    LREM l 2 a => :2|
    LRANGE l 0 -1 => *5|$1|b|$1|c|$1|a|$1|1|$1|a|
    LREM l -1 a => :1|
    LRANGE l 0 -1 => *4|$1|b|$1|c|$1|a|$1|1|
    LREM l 0 1 => :1|
    LREM l 0 zz => :0|
    LREM l x a => -ERR value is not an integer or out of range|
    LREM none 0 a => :0|
    LREM s 0 a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LREM l 0 => -ERR wrong number of arguments for 'lrem' command|
  )");
}

TEST_F(ListCommandsTest, Pos) {
  Check(R"(
    RPUSH l a b c 1 2 3 c c => :8|
    LPOS l c => :2|
    LPOS l C => $-1|
    LPOS l 2 => :4|
    LPOS l c RANK 2 => :6|
    LPOS l c RANK -1 => :7|
    LPOS l c RANK 4 => $-1|
    LPOS l c COUNT 2 => *2|:2|:6|
    LPOS l c COUNT 0 => *3|:2|:6|:7|
    LPOS l c COUNT 0 RANK 2 => *2|:6|:7|
    LPOS l c COUNT 2 RANK -1 => *2|:7|:6|
    LPOS l c COUNT 0 MAXLEN 3 => *1|:2|
    LPOS l c MAXLEN 2 => $-1|
    LPOS l zz COUNT 0 => *0|
    LPOS none a => $-1|
    LPOS none a COUNT 0 => *0|
    SET s x => +OK|
    LPOS s a COUNT 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LPOS l a RANK 0 => -ERR RANK can't be zero: use 1 to start from the first match, 2 from the \
        second ... or use negative to start from the end of the list|
    LPOS l a RANK x => -ERR value is not an integer or out of range|
    LPOS l a COUNT -1 => -ERR COUNT can't be negative|
    LPOS l a COUNT x => -ERR COUNT can't be negative|
    LPOS l a MAXLEN -1 => -ERR MAXLEN can't be negative|
    LPOS l a MAXLEN x => -ERR MAXLEN can't be negative|
    LPOS l a FOO 1 => -ERR syntax error|
    LPOS l a RANK => -ERR syntax error|
    LPOS none a RANK 0 => -ERR RANK can't be zero: use 1 to start from the first match, 2 from \
        the second ... or use negative to start from the end of the list|
    LPOS l => -ERR wrong number of arguments for 'lpos' command|
  )");
}

TEST_F(ListCommandsTest, Move) {
  Check(R"(
    RPUSH l a b c => :3|
    LMOVE l m RIGHT LEFT => $1|c|
    LMOVE l m left right => $1|a|
    LRANGE m 0 -1 => *2|$1|c|$1|a|
    LMOVE l l left right => $1|b|
    RPUSH l x y => :3|
    LMOVE l l left right => $1|b|
    LMOVE l l right left => $1|b|
    LMOVE l l right right => $1|y|
    LRANGE l 0 -1 => *3|$1|b|$1|x|$1|y|
    RPOPLPUSH l m => $1|y|
    RPOPLPUSH l m => $1|x|
    RPOPLPUSH l m => $1|b|
    EXISTS l => :0|
    LRANGE m 0 -1 => *5|$1|b|$1|x|$1|y|$1|c|$1|a|
    RPOPLPUSH none m => $-1|
    SET s x => +OK|
    RPOPLPUSH none s => $-1|
    RPOPLPUSH s none => -WRONGTYPE Operation against a key holding the wrong kind of value|
    RPOPLPUSH m s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LMOVE m m up left => -ERR syntax error|
    LMOVE m m left down => -ERR syntax error|
    LMOVE none s left left => $-1|
    LMOVE m m left => -ERR wrong number of arguments for 'lmove' command|
    RPOPLPUSH m => -ERR wrong number of arguments for 'rpoplpush' command|
  )");
}

TEST_F(ListCommandsTest, MultiPop) {
  Check(R"(
    RPUSH l a b c d e => :5|
    RPUSH m 1 2 => :2|
    LMPOP 2 none l LEFT => *2|$1|l|*1|$1|a|
    LMPOP 1 l RIGHT COUNT 2 => *2|$1|l|*2|$1|e|$1|d|
    LMPOP 2 l m left COUNT 10 => *2|$1|l|*2|$1|b|$1|c|
    EXISTS l => :0|
    LMPOP 2 l m right COUNT 1 => *2|$1|m|*1|$1|2|
    LMPOP 1 none LEFT => *-1|
    SET s x => +OK|
    LMPOP 2 none s LEFT => -WRONGTYPE Operation against a key holding the wrong kind of value|
    LMPOP 2 m s LEFT => *2|$1|m|*1|$1|1|
    LMPOP 0 l LEFT => -ERR numkeys should be greater than 0|
    LMPOP x l LEFT => -ERR numkeys should be greater than 0|
    LMPOP 2 l LEFT => -ERR syntax error|
    LMPOP 1 l UP => -ERR syntax error|
    LMPOP 1 l LEFT COUNT 0 => -ERR count should be greater than 0|
    LMPOP 1 l LEFT COUNT x => -ERR count should be greater than 0|
    LMPOP 1 l LEFT COUNT => -ERR syntax error|
    LMPOP 1 l LEFT COUNT 1 COUNT 2 => -ERR syntax error|
    LMPOP 1 l LEFT FOO 2 => -ERR syntax error|
    LMPOP 9999999999999999 l LEFT => -ERR syntax error|
    LMPOP 1 l => -ERR wrong number of arguments for 'lmpop' command|
  )");
}

TEST_F(ListCommandsTest, Resp3) {
  fixture_.SetProtocol(3);
  Check(R"(
    RPUSH l a b c => :3|
    LRANGE l 0 1 => *2|$1|a|$1|b|
    LPOP none => _|
    LPOP none 1 => _|
    LPOP l 0 => *0|
    LPOS l zz => _|
    LPOS l a COUNT 0 => *1|:0|
    LINDEX l 9 => _|
    LMOVE none l left left => _|
    LMPOP 1 l LEFT COUNT 2 => *2|$1|l|*2|$1|a|$1|b|
    LMPOP 1 none LEFT => _|
  )");
}

// Later than the 7.0 that the transcripts were compared with.
TEST_F(ListCommandsTest, RankWithoutNegation) {
  Do("RPUSH l a");
  Check(R"(
    LPOS l a RANK -9223372036854775807 => $-1|
    LPOS l a RANK -9223372036854775808 => -ERR value is out of range, value must between \
        -9223372036854775807 and 9223372036854775807|
  )");
}

TEST_F(ListCommandsTest, EncodingFollowsSize) {
  fixture_.limits().list_max_listpack_size = 4;
  Do("RPUSH l a b c d");
  EXPECT_EQ(fixture_.Encoding("l"), "listpack");
  Do("LPUSH l e");
  EXPECT_EQ(fixture_.Encoding("l"), "quicklist");
  // Back at half of the limit.
  Do("LPOP l 2");
  EXPECT_EQ(fixture_.Encoding("l"), "quicklist");
  Do("RPOP l");
  EXPECT_EQ(fixture_.Encoding("l"), "listpack");
  Check("LRANGE l 0 -1 => *2|$1|b|$1|c|");
  Do("RPUSH many 1 2 3 4 5");
  EXPECT_EQ(fixture_.Encoding("many"), "quicklist");
  Do("LTRIM many 0 1");
  EXPECT_EQ(fixture_.Encoding("many"), "listpack");
}

// The commands on a list of many nodes.
TEST_F(ListCommandsTest, LongList) {
  fixture_.limits().list_max_listpack_size = 8;
  for (int i = 0; i < 200; ++i) Run({"RPUSH", "l", "e" + std::to_string(i)});
  Check(R"(
    LLEN l => :200|
    LINDEX l 100 => $4|e100|
    LINDEX l -1 => $4|e199|
    LRANGE l 99 101 => *3|$3|e99|$4|e100|$4|e101|
    LPOS l e150 => :150|
    LPOS l e150 RANK -1 COUNT 0 => *1|:150|
    LPOS l e150 MAXLEN 150 => $-1|
    LPOS l e150 MAXLEN 151 => :150|
    LINSERT l before e50 x => :201|
    LINDEX l 50 => $1|x|
    LREM l 0 x => :1|
    LSET l 77 y => +OK|
    LINDEX l 77 => $1|y|
    LMOVE l l RIGHT LEFT => $4|e199|
    LINDEX l 0 => $4|e199|
    RPOP l 2 => *2|$4|e198|$4|e197|
    LTRIM l 20 -20 => +OK|
    LLEN l => :159|
    LINDEX l 0 => $3|e19|
    LPOP l 200 => *159|)" +
        [] {
          std::string rest;
          for (int i = 19; i < 178; ++i) {
            const std::string element = i == 77 ? "y" : "e" + std::to_string(i);
            rest += "$" + std::to_string(element.size()) + "|" + element + "|";
          }
          return rest;
        }());
  EXPECT_FALSE(fixture_.Exists("l"));
}

TEST_F(ListCommandsTest, Effects) {
  CheckEffects("LPUSH l a b c", {"l lpush l"}, 3);
  CheckEffects("RPUSH l d", {"l rpush l"}, 1);
  CheckEffects("LPUSHX l e", {"l lpush l"}, 1);
  CheckEffects("RPUSHX l f", {"l rpush l"}, 1);
  CheckEffects("RPUSHX none f", {}, 0);
  CheckEffects("LLEN l", {}, 0);
  CheckEffects("LSET l 0 E", {"l lset l"}, 1);
  CheckEffects("LSET l 100 E", {}, 0);
  CheckEffects("LINSERT l after E x", {"l linsert l"}, 1);
  CheckEffects("LINSERT l after zz x", {}, 0);
  CheckEffects("LREM l 0 x", {"l lrem l"}, 1);
  CheckEffects("LREM l 0 x", {}, 0);
  CheckEffects("LPOP l", {"l lpop l"}, 1);
  CheckEffects("RPOP l 2", {"l rpop l"}, 2);
  CheckEffects("LPOP l 0", {}, 0);
  CheckEffects("LPOP none", {}, 0);
  CheckEffects("LTRIM l 0 -1", {"l ltrim l"}, 0);
  CheckEffects("LTRIM l 1 -1", {"l ltrim l"}, 1);
  CheckEffects("LTRIM l 9 9", {"l ltrim l", "g del l"}, 2);
  CheckEffects("LTRIM l 9 9", {}, 0);
  Do("RPUSH l a");
  CheckEffects("LREM l 0 a", {"l lrem l", "g del l"}, 1);
  Do("RPUSH l a");
  CheckEffects("RPOP l 5", {"l rpop l", "g del l"}, 1);
  Do("RPUSH l a b");
  CheckEffects("LMOVE l m left right", {"l rpush m", "l lpop l"}, 1);
  CheckEffects("RPOPLPUSH l m", {"l lpush m", "l rpop l", "g del l"}, 1);
  CheckEffects("RPOPLPUSH m m", {"l lpush m", "l rpop m"}, 1);
  CheckEffects("RPOPLPUSH l m", {}, 0);
  CheckEffects("LMPOP 2 l m RIGHT", {"l rpop m"}, {"RPOP m 1"}, 1);
  CheckEffects("LMPOP 2 l m LEFT COUNT 9", {"l lpop m", "g del m"}, {"LPOP m 1"}, 1);
  CheckEffects("LMPOP 2 l m LEFT COUNT 9", {}, 0);
}

TEST_F(ListCommandsTest, ModifiedKeys) {
  Do("RPUSH l a");
  fixture_.TakeModified();
  Do("LMOVE l m left left");
  EXPECT_EQ(fixture_.TakeModified(), (Strings{"m", "l"}));
  Do("LRANGE m 0 -1");
  EXPECT_EQ(fixture_.TakeModified(), Strings{});
}

}  // namespace
}  // namespace backplane
