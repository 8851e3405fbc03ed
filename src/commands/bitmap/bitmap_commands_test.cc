// SPDX-License-Identifier: BSD-3-Clause
// Bitmap commands: replies and errors to the letter, events, and every one of them against a vector
// of bits.
#include "commands/bitmap/bitmap_commands.h"

#include <random>

#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class BitmapCommandsTest : public CommandTest {
 protected:
  int64_t Number(const std::string& line) {
    const std::string reply = Reply(line);
    EXPECT_EQ(reply[0], ':') << line << " => " << reply;
    return std::stoll(reply.substr(1));
  }
};

TEST_F(BitmapCommandsTest, SingleBits) {
  Check(R"(
    SETBIT b 7 1 => :0|
    BITFIELD_RO b GET u8 0 => *1|:1|
    SETBIT b 7 1 => :1|
    SETBIT b 7 0 => :1|
    SETBIT b 30 0 => :0|
    STRLEN b => :4|
    OBJECT ENCODING b => $3|raw|
    COPY b copy => :1|
    OBJECT ENCODING copy => $3|raw|
    GETBIT b 7 => :0|
    GETBIT b 4294967295 => :0|
    GETBIT none 3 => :0|
    EXISTS none => :0|
    SET n 12345 => +OK|
    GETBIT n 2 => :1|
    SETBIT n 7 0 => :1|
    GET n => $5|02345|
    SETBIT b -1 1 => -ERR bit offset is not an integer or out of range|
    SETBIT b 4294967296 1 => -ERR bit offset is not an integer or out of range|
    SETBIT b #1 1 => -ERR bit offset is not an integer or out of range|
    SETBIT b x 1 => -ERR bit offset is not an integer or out of range|
    SETBIT b 1 2 => -ERR bit is not an integer or out of range|
    GETBIT b -1 => -ERR bit offset is not an integer or out of range|
    RPUSH l x => :1|
    SETBIT l 1 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    GETBIT l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(BitmapCommandsTest, AStringThatOnlyGrowsIsPropagated) {
  fixture_.RunLine("SET s a");
  fixture_.TakePropagated();
  const std::string line = "BITFIELD s OVERFLOW FAIL INCRBY u8 #3 300";
  EXPECT_EQ(fixture_.RunLine(line), "*1\r\n$-1\r\n");
  EXPECT_EQ(fixture_.RunLine("STRLEN s"), ":4\r\n");
  EXPECT_EQ(fixture_.TakePropagated(), Strings{line});
  fixture_.RunLine(line);
  EXPECT_TRUE(fixture_.TakePropagated().empty());
}

TEST_F(BitmapCommandsTest, Counting) {
  Check(R"(
    SET s foobar => +OK|
    BITCOUNT s => :26|
    BITCOUNT s 0 0 => :4|
    BITCOUNT s 5 30 BIT => :17|
    BITCOUNT s -10 -1 bit => :5|
    BITCOUNT s 1 1 BYTE => :6|
    BITCOUNT s -1 -5 => :0|
    BITCOUNT s -1 -5 BITS => :0|
    BITCOUNT s 9 1 => :0|
    BITCOUNT s -100 100 => :26|
    BITCOUNT none x y z => :0|
    BITCOUNT s 0 => -ERR syntax error|
    BITCOUNT s 0 x => -ERR value is not an integer or out of range|
    BITCOUNT s 0 0 BITS => -ERR syntax error|
    BITCOUNT s 0 x BITS => -ERR value is not an integer or out of range|
    BITCOUNT s 0 x BIT x => -ERR syntax error|
    RPUSH l x => :1|
    BITCOUNT l => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(BitmapCommandsTest, Finding) {
  Check(R"(
    SET f "\xff\xff\xff" => +OK|
    BITPOS f 0 => :24|
    BITPOS f 0 0 => :24|
    BITPOS f 0 0 -1 => :-1|
    BITPOS f 1 1 => :8|
    BITPOS f 0 5 => :-1|
    BITPOS f 1 10 20 BIT => :10|
    BITPOS f 1 -8 -9 => :0|
    BITPOS none 0 => :0|
    BITPOS none 1 => :-1|
    BITPOS f 2 => -ERR The bit argument must be 1 or 0.|
    BITPOS f x => -ERR value is not an integer or out of range|
    BITPOS f 1 0 x => -ERR value is not an integer or out of range|
    BITPOS f 1 0 -1 x => -ERR syntax error|
    BITPOS f 1 0 x x => -ERR syntax error|
    BITPOS f 1 x x BIT x => -ERR syntax error|
    RPUSH l x => :1|
    BITPOS l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(BitmapCommandsTest, Combining) {
  Check(R"(
    SET a abcdefghijk => +OK|
    SET b "\xff\x0f" => +OK|
    BITOP AND d a b => :11|
    BITFIELD_RO d GET u32 0 GET u8 80 => *2|:1627521024|:0|
    BITOP OR d a none => :11|
    GET d => $11|abcdefghijk|
    OBJECT ENCODING d => $3|raw|
    BITOP XOR d a a => :11|
    BITCOUNT d => :0|
    BITOP NOT d b => :2|
    BITFIELD_RO d GET u16 0 => *1|:240|
    BITOP AND d none nothing => :0|
    EXISTS d => :0|
    BITOP NOT d a b => -ERR BITOP NOT must be called with a single source key.|
    BITOP NAND d a b => -ERR syntax error|
    RPUSH l x => :1|
    BITOP AND d a l => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(BitmapCommandsTest, Fields) {
  Check(R"(
    BITFIELD f SET u8 0 255 GET i8 0 INCRBY u4 #1 3 => *3|:0|:-1|:2|
    BITFIELD f OVERFLOW SAT INCRBY u8 0 300 OVERFLOW FAIL INCRBY u8 0 1 => *2|:255|$-1|
    BITFIELD f GET u8 0 GET u8 #1 GET u16 100 => *3|:255|:0|:0|
    BITFIELD f SET i8 0 -129 => *1|:-1|
    BITFIELD f OVERFLOW SAT SET i8 0 -129 GET i8 0 => *2|:127|:-128|
    BITFIELD low OVERFLOW SAT SET i23 59 -9223372036854775808 GET i23 59 => *2|:0|:-4194304|
    BITFIELD f OVERFLOW FAIL SET u8 0 256 => *1|$-1|
    BITFIELD g INCRBY i64 0 9223372036854775807 INCRBY i64 0 1 => \
      *2|:9223372036854775807|:-9223372036854775808|
    BITFIELD u OVERFLOW SAT INCRBY u63 0 9223372036854775807 INCRBY u63 0 1 => \
      *2|:9223372036854775807|:9223372036854775807|
    BITFIELD one OVERFLOW SAT INCRBY i1 0 4 INCRBY i1 0 -4 INCRBY i1 0 4 => *3|:0|:-1|:0|
    BITFIELD none GET u8 0 => *1|:0|
    EXISTS none => :0|
    BITFIELD none OVERFLOW FAIL INCRBY u4 0 20 => *1|$-1|
    STRLEN none => :1|
    BITFIELD f => *0|
    BITFIELD_RO f GET i8 0 => *1|:-128|
    BITFIELD_RO f SET u8 0 1 => -ERR BITFIELD_RO only supports the GET subcommand|
    BITFIELD f GET u64 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that \
u64 is not supported but i64 is.|
    BITFIELD f GET u8 -1 => -ERR bit offset is not an integer or out of range|
    BITFIELD f SET u8 #536870912 1 => -ERR bit offset is not an integer or out of range|
    BITFIELD f OVERFLOW MAYBE => -ERR Invalid OVERFLOW type specified|
    BITFIELD f OVERFLOW => -ERR syntax error|
    BITFIELD f SET u8 0 => -ERR syntax error|
    BITFIELD f SET u8 0 x => -ERR value is not an integer or out of range|
    RPUSH l x => :1|
    BITFIELD l GET u8 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    BITFIELD l SET u8 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(BitmapCommandsTest, OnlyChangesAreTold) {
  CheckEffects("setbit e 1 1", {"$ setbit e"}, 1);
  CheckEffects("setbit e 1 1", {}, 0);
  CheckEffects("setbit e 100 0", {"$ setbit e"}, 1);
  CheckEffects("bitfield e get u8 0", {}, 0);
  CheckEffects("bitfield e set u8 0 5 set u8 8 6", {"$ setbit e"}, 2);
  CheckEffects("bitfield e set u8 0 5", {}, 0);
  CheckEffects("bitfield e overflow fail incrby u8 0 255", {}, 0);
  CheckEffects("bitfield e set u8 200 0", {"$ setbit e"}, 1);
  // The string has grown, without a change that anybody is told of.
  const std::string grows = "bitfield e3 overflow fail incrby u4 0 20";
  CheckEffects(grows, {}, {grows}, 0);
  CheckEffects("bitfield e3 overflow fail incrby u4 20 20 set u8 0 0", {"$ setbit e3"}, 1);
  CheckEffects("bitop or e2 e", {"$ set e2"}, 1);
  CheckEffects("bitop or e2 none", {"g del e2"}, 1);
  CheckEffects("bitop or e2 none", {}, 0);
}

TEST_F(BitmapCommandsTest, AgainstBits) {
  std::mt19937 random(7);
  std::vector<bool> bits;
  auto count = [&](size_t first, size_t last) {
    int64_t set = 0;
    for (size_t i = first; i <= last && i < bits.size(); ++i) set += bits[i] ? 1 : 0;
    return set;
  };
  for (int step = 0; step < 4000; ++step) {
    const size_t at = random() % 1000;
    const bool value = random() % 3 != 0;
    if (at >= bits.size()) bits.resize((at / 8 + 1) * 8);
    ASSERT_EQ(Number("SETBIT b " + std::to_string(at) + (value ? " 1" : " 0")), bits[at] ? 1 : 0);
    bits[at] = value;
    const size_t first = random() % bits.size();
    const size_t last = first + random() % (bits.size() - first);
    const std::string range = std::to_string(first) + " " + std::to_string(last) + " BIT";
    ASSERT_EQ(Number("BITCOUNT b " + range), count(first, last));
    int64_t found = -1;
    const bool wanted = random() % 2 == 0;
    for (size_t i = first; i <= last && found < 0; ++i) {
      if (bits[i] == wanted) found = static_cast<int64_t>(i);
    }
    ASSERT_EQ(Number(std::string("BITPOS b ") + (wanted ? "1 " : "0 ") + range), found);
    const unsigned width = 1 + random() % 63;
    uint64_t field = 0;
    for (size_t i = at; i < at + width; ++i) {
      field = field << 1 | (i < bits.size() && bits[i] ? 1 : 0);
    }
    const std::string type = "u" + std::to_string(width);
    ASSERT_EQ(Reply("BITFIELD_RO b GET " + type + " " + std::to_string(at)),
              "*1|:" + std::to_string(field) + "|");
  }
  ASSERT_EQ(Number("BITCOUNT b"), count(0, bits.size()));
}

}  // namespace
}  // namespace backplane
