// SPDX-License-Identifier: BSD-3-Clause
// Sorted set commands: encodings, many members, events, propagation.
#include <map>

#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class ZSetEffectsTest : public CommandTest {
 protected:
  // Member i has score i / 2: pairs of equal scores. Returns the members in order.
  Strings Fill(const std::string& key, size_t size) {
    Strings add{"ZADD", key};
    std::map<std::pair<size_t, std::string>, std::string> order;
    for (size_t i = 0; i < size; ++i) {
      const std::string member = "m" + std::to_string(i);
      add.insert(add.end(), {std::to_string(i / 2), member});
      order[{i / 2, member}] = member;
    }
    Run(add);
    Strings members;
    for (auto& [place, member] : order) members.push_back(member);
    return members;
  }
  Strings Ordered(std::string_view line) {
    Strings members;
    const std::string reply = fixture_.RunLine(line);
    for (const ParsedReply& element : Parse(reply).elements) members.push_back(element.text);
    return members;
  }
  static Strings Slice(const Strings& all, size_t first, size_t count) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    return Strings(begin, begin + static_cast<std::ptrdiff_t>(count));
  }
};

TEST_F(ZSetEffectsTest, EncodingFollowsSize) {
  EncodingLimits& limits = fixture_.limits();
  limits.zset_max_listpack_entries = 3;
  limits.zset_max_listpack_value = 8;
  Do("ZADD z 1 a 2 b 3 c");
  EXPECT_EQ(fixture_.Encoding("z"), "listpack");
  Do("ZADD z 5 a 6 b");
  EXPECT_EQ(fixture_.Encoding("z"), "listpack");
  Do("ZADD z 4 d");
  EXPECT_EQ(fixture_.Encoding("z"), "skiplist");
  Do("ZADD v 1 123456789");
  EXPECT_EQ(fixture_.Encoding("v"), "skiplist");
  Do("ZADD many 1 a 2 b 3 c 4 a");
  EXPECT_EQ(fixture_.Encoding("many"), "skiplist");
  Do("ZRANGESTORE d z 0 1");
  EXPECT_EQ(fixture_.Encoding("d"), "listpack");
  Do("ZRANGESTORE d z 0 -1");
  EXPECT_EQ(fixture_.Encoding("d"), "skiplist");
  Do("ZDIFFSTORE d 1 z");
  EXPECT_EQ(fixture_.Encoding("d"), "skiplist");
  Do("ZINTERSTORE d 2 z many");
  EXPECT_EQ(fixture_.Encoding("d"), "listpack");
}

TEST_F(ZSetEffectsTest, RangesOfManyMembers) {
  for (size_t size : {20, 1000}) {
    Do("DEL z d");
    const Strings all = Fill("z", size);
    Strings reversed(all.rbegin(), all.rend());
    EXPECT_EQ(Ordered("ZRANGE z 0 -1"), all);
    EXPECT_EQ(Ordered("ZREVRANGE z 0 -1"), reversed);
    EXPECT_EQ(Ordered("ZRANGE z 5 9"), Slice(all, 5, 5));
    EXPECT_EQ(Ordered("ZRANGE z 5 9 REV"), Slice(reversed, 5, 5));
    EXPECT_EQ(Ordered("ZRANGEBYSCORE z 2 4"), Slice(all, 4, 6));
    EXPECT_EQ(Ordered("ZRANGEBYSCORE z (2 (4"), Slice(all, 6, 2));
    EXPECT_EQ(Ordered("ZRANGEBYSCORE z 2 inf LIMIT 3 4"), Slice(all, 7, 4));
    EXPECT_EQ(Ordered("ZREVRANGEBYSCORE z inf 2 LIMIT 3 4"), Slice(reversed, 3, 4));
    for (size_t i = 0; i < size; i += 7) {
      EXPECT_EQ(Run({"ZRANK", "z", all[i]}), ":" + std::to_string(i) + "\r\n");
      EXPECT_EQ(Run({"ZREVRANK", "z", all[i]}), ":" + std::to_string(size - 1 - i) + "\r\n");
    }
    Check("ZCOUNT z 3 5 => :6|");
    Do("ZRANGESTORE d z inf 2 BYSCORE REV LIMIT 3 4");
    EXPECT_EQ(Ordered("ZRANGE d 0 -1 REV"), Slice(reversed, 3, 4));
    EXPECT_EQ(Ordered("ZPOPMIN z 1").front(), all[0]);
    Check("ZREMRANGEBYRANK z 0 1 => :2|");
    Check("ZREMRANGEBYSCORE z (1 2 => :2|");
    EXPECT_EQ(Ordered("ZRANGE z 0 -1").front(), all[3]);
    EXPECT_EQ(Ordered("ZRANGE z 0 -1").size(), size - 5);
  }
}

TEST_F(ZSetEffectsTest, LexRangesOfManyMembers) {
  for (size_t size : {20, 1000}) {
    Do("DEL z");
    std::set<std::string> members;
    for (size_t i = 0; i < size; ++i) members.insert(std::to_string(i));
    for (const std::string& member : members) Run({"ZADD", "z", "0", member});
    const Strings all(members.begin(), members.end());
    EXPECT_EQ(Ordered("ZRANGEBYLEX z - +"), all);
    const auto at = [&](const std::string& member) {
      return static_cast<size_t>(std::distance(members.begin(), members.find(member)));
    };
    EXPECT_EQ(Ordered("ZRANGEBYLEX z [11 (15"), Slice(all, at("11"), at("15") - at("11")));
    EXPECT_EQ(Ordered("ZRANGEBYLEX z (11 [15"), Slice(all, at("11") + 1, at("15") - at("11")));
    EXPECT_EQ(Run({"ZLEXCOUNT", "z", "[11", "[15"}),
              ":" + std::to_string(at("15") - at("11") + 1) + "\r\n");
    EXPECT_EQ(Run({"ZREMRANGEBYLEX", "z", "[11", "[15"}),
              ":" + std::to_string(at("15") - at("11") + 1) + "\r\n");
    Check("ZSCORE z 12 => $-1|");
  }
}

TEST_F(ZSetEffectsTest, ManyMembersInOneCommand) {
  const Strings all = Fill("z", 1000);
  Strings ask{"ZMSCORE", "z"};
  Strings remove{"ZREM", "z"};
  for (size_t i = 0; i < 1000; ++i) {
    ask.push_back("m" + std::to_string(i));
    if (i % 3 == 0) remove.push_back("m" + std::to_string(i));
  }
  ParsedReply scores = Parse(Run(ask));
  for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(scores.elements[i].text, std::to_string(i / 2));
  EXPECT_EQ(Run(remove), ":334\r\n");
  scores = Parse(Run(ask));
  for (size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(scores.elements[i].text, i % 3 == 0 ? "-1" : std::to_string(i / 2));
  }
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const ParsedReply step = Parse(Run({"ZSCAN", "z", cursor}));
    cursor = step.elements[0].text;
    const auto& pairs = step.elements[1].elements;
    for (size_t i = 0; i < pairs.size(); i += 2) seen.insert(pairs[i].text);
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 666u);
}

TEST_F(ZSetEffectsTest, AlgebraOfManyMembers) {
  for (size_t size : {20, 1000}) {
    Do("DEL a b");
    std::map<std::string, double> a, b;
    for (size_t i = 0; i < size; ++i) {
      a["m" + std::to_string(i)] = static_cast<double>(i);
      b["m" + std::to_string(i * 2)] = static_cast<double>(i);
    }
    for (auto& [key, members] : {std::pair{"a", &a}, {"b", &b}}) {
      for (const auto& [member, score] : *members) {
        Run({"ZADD", key, std::to_string(static_cast<int>(score)), member});
      }
    }
    std::set<std::pair<double, std::string>> inter, all, diff;
    for (const auto& [member, score] : a) {
      const auto found = b.find(member);
      all.emplace(score + (found != b.end() ? found->second : 0), member);
      if (found != b.end()) inter.emplace(score + found->second, member);
      if (found == b.end()) diff.emplace(score, member);
    }
    for (const auto& [member, score] : b) {
      if (!a.contains(member)) all.emplace(score, member);
    }
    for (auto& [line, expected] :
         {std::pair{"ZUNION 2 a b", &all}, {"ZINTER 2 a b", &inter}, {"ZDIFF 2 a b", &diff}}) {
      Strings members;
      for (const auto& [score, member] : *expected) members.push_back(member);
      EXPECT_EQ(Ordered(line), members) << line;
    }
    EXPECT_EQ(Run({"ZINTERCARD", "2", "a", "b"}), ":" + std::to_string(inter.size()) + "\r\n");
  }
}

TEST_F(ZSetEffectsTest, RandomMembersAreDistinct) {
  for (size_t size : {20, 1000}) {
    Do("DEL z");
    Fill("z", size);
    EXPECT_EQ(Members("ZRANDMEMBER z 9").size(), 9u);
    EXPECT_EQ(Members("ZRANDMEMBER z 99999").size(), size);
    EXPECT_EQ(Ordered("ZRANDMEMBER z -50").size(), 50u);
    const ParsedReply pairs = Parse(Run({"ZRANDMEMBER", "z", "-50", "WITHSCORES"}));
    for (size_t i = 0; i < 100; i += 2) {
      const int member = std::stoi(pairs.elements[i].text.substr(1));
      EXPECT_EQ(pairs.elements[i + 1].text, std::to_string(member / 2));
    }
  }
}

TEST_F(ZSetEffectsTest, Effects) {
  CheckEffects("ZADD z 1 a 2 b", {"z zadd z"}, 2);
  CheckEffects("ZADD z 1 a 3 b", {"z zadd z"}, 1);
  CheckEffects("ZADD z 1 a 3 b", {}, 0);
  CheckEffects("ZADD z XX 1 zz", {}, 0);
  CheckEffects("ZADD none XX 1 zz", {}, 0);
  CheckEffects("ZADD z INCR 1 a", {"z zincr z"}, 1);
  CheckEffects("ZADD z INCR 0 a", {}, 0);
  CheckEffects("ZINCRBY z 1 c", {"z zincr z"}, 1);
  CheckEffects("ZINCRBY z x c", {}, 0);
  CheckEffects("ZREM z zz", {}, 0);
  CheckEffects("ZREM z c zz", {"z zrem z"}, 1);
  CheckEffects("ZREM z a b", {"z zrem z", "g del z"}, 2);
  Do("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g");
  CheckEffects("ZREMRANGEBYRANK z 0 0", {"z zremrangebyrank z"}, 1);
  CheckEffects("ZREMRANGEBYSCORE z 1 2", {"z zremrangebyscore z"}, 1);
  CheckEffects("ZREMRANGEBYLEX z [c [c", {"z zremrangebylex z"}, 1);
  CheckEffects("ZREMRANGEBYRANK z 9 9", {}, 0);
  CheckEffects("ZPOPMIN z", {"z zpopmin z"}, 1);
  CheckEffects("ZPOPMAX z", {"z zpopmax z"}, 1);
  CheckEffects("ZPOPMIN z 0", {}, 0);
  CheckEffects("ZMPOP 2 none z MAX", {"z zpopmax z"}, {"ZPOPMAX z 1"}, 1);
  CheckEffects("ZMPOP 2 none z MIN COUNT 5", {"z zpopmin z", "g del z"}, {"ZPOPMIN z 1"}, 1);
  CheckEffects("ZMPOP 2 none z MIN COUNT 5", {}, 0);
  Do("ZADD z 1 a 2 b");
  CheckEffects("ZRANGESTORE d z 0 -1", {"z zrangestore d"}, 1);
  CheckEffects("ZRANGESTORE d z 5 6", {"g del d"}, 1);
  CheckEffects("ZRANGESTORE d z 5 6", {}, 0);
  CheckEffects("ZUNIONSTORE d 1 z", {"z zunionstore d"}, 1);
  CheckEffects("ZINTERSTORE d 1 z", {"z zinterstore d"}, 1);
  CheckEffects("ZDIFFSTORE d 1 z", {"z zdiffstore d"}, 1);
  CheckEffects("ZDIFFSTORE d 2 z z", {"g del d"}, 1);
  CheckEffects("ZRANGE z 0 -1", {}, 0);
  CheckEffects("ZREMRANGEBYRANK z 0 -1", {"z zremrangebyrank z", "g del z"}, 2);
}

TEST_F(ZSetEffectsTest, StoreDropsTheTtlOfWhatItReplaces) {
  Do("ZADD z 1 a");
  Do("SET d x");
  Do("PEXPIRE d 1000");
  Do("ZUNIONSTORE d 1 z");
  fixture_.Advance(2000);
  Check("ZCARD d => :1|");
}

}  // namespace
}  // namespace backplane
