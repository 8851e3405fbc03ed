// SPDX-License-Identifier: BSD-3-Clause
// HyperLogLog commands: replies, errors, events. That the bytes are those of Redis is a compat
// test.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class HyperLogLogCommandsTest : public CommandTest {};

TEST_F(HyperLogLogCommandsTest, CountAndMerge) {
  Check(R"(
    PFADD h => :1|
    PFADD h => :0|
    PFADD h a b c => :1|
    PFADD h a b => :0|
    PFCOUNT h => :3|
    PFCOUNT h => :3|
    PFCOUNT none => :0|
    PFADD i c d => :1|
    PFCOUNT h i none => :4|
    PFMERGE m h i none => +OK|
    PFCOUNT m => :4|
    PFMERGE empty => +OK|
    PFCOUNT empty => :0|
    PFDEBUG ENCODING m => +sparse|
    PFDEBUG TODENSE i => :1|
    PFDEBUG TODENSE i => :0|
    PFDEBUG ENCODING i => +dense|
    PFADD i d e => :1|
    PFADD i e => :0|
    PFCOUNT i => :3|
    PFMERGE m i => +OK|
    PFDEBUG ENCODING m => +dense|
    PFCOUNT m => :5|
    PFDEBUG DECODE h => $44|Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603|
    PFSELFTEST => +OK|
  )");
}

TEST_F(HyperLogLogCommandsTest, TheSparseLimit) {
  fixture_.limits().hll_sparse_max_bytes = 22;
  Check(R"(
    PFADD h a => :1|
    PFDEBUG ENCODING h => +sparse|
    PFADD h b c d e => :1|
    PFDEBUG ENCODING h => +dense|
    PFCOUNT h => :5|
  )");
}

TEST_F(HyperLogLogCommandsTest, Errors) {
  Check(R"(
    SET s text => +OK|
    PFADD s x => -WRONGTYPE Key is not a valid HyperLogLog string value.|
    PFCOUNT s => -WRONGTYPE Key is not a valid HyperLogLog string value.|
    PFMERGE s => -WRONGTYPE Key is not a valid HyperLogLog string value.|
    PFDEBUG DECODE s => -WRONGTYPE Key is not a valid HyperLogLog string value.|
    RPUSH l x => :1|
    PFADD l x => -WRONGTYPE Operation against a key holding the wrong kind of value|
    PFCOUNT l => -WRONGTYPE Operation against a key holding the wrong kind of value|
    PFMERGE l => -WRONGTYPE Operation against a key holding the wrong kind of value|
    PFADD h a => :1|
    PFMERGE h l => -WRONGTYPE Operation against a key holding the wrong kind of value|
    PFDEBUG ENCODING none => -ERR The specified key does not exist|
    PFDEBUG NOSUCH h => -ERR Unknown PFDEBUG subcommand 'NOSUCH'|
    PFDEBUG TODENSE h => :1|
    PFDEBUG DECODE h => -ERR HLL encoding is not sparse|
    SET b "HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x80" => +OK|
    PFCOUNT b => -INVALIDOBJ Corrupted HLL object detected|
    PFADD b x => -INVALIDOBJ Corrupted HLL object detected|
    PFMERGE h b => -INVALIDOBJ Corrupted HLL object detected|
    PFDEBUG DECODE b => -INVALIDOBJ Corrupted HLL object detected|
    PFDEBUG GETREG b => -INVALIDOBJ Corrupted HLL object detected|
  )");
}

TEST_F(HyperLogLogCommandsTest, Effects) {
  CheckEffects("pfadd h a b", {"$ pfadd h"}, 3);
  CheckEffects("pfadd h c a d", {"$ pfadd h"}, 2);
  CheckEffects("pfadd h a", {}, 0);
  CheckEffects("pfadd none", {"$ pfadd none"}, 1);
  // The estimate is stored, which replicas do too.
  CheckEffects("pfcount h", {}, 1);
  CheckEffects("pfcount h", {}, 0);
  CheckEffects("pfcount h none", {}, 0);
  CheckEffects("pfmerge m h", {"$ pfadd m"}, 1);
}

}  // namespace
}  // namespace backplane
