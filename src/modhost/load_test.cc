// SPDX-License-Identifier: BSD-3-Clause
// Loading and unloading: the contract, and that nothing is left behind.
#include <filesystem>

#include "modhost/testing/host_fixture.h"
#include "value/dormant_value.h"

namespace backplane {
namespace {

using LoadTest = HostFixture;

TEST_F(LoadTest, LoadsAndUnloadsWithoutATrace) {
  const std::string before = Registered();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(Load()) << Log();
    EXPECT_NE(Registered(), before);
    EXPECT_EQ(probe().version(), 7);
    EXPECT_EQ(Run("probe.echo a b"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    ASSERT_TRUE(host_.Unload("probe", false).has_value());
    EXPECT_EQ(Registered(), before);
    EXPECT_EQ(Run("probe.echo a").substr(0, 20), "-ERR unknown command");
  }
}

TEST_F(LoadTest, AnErrorOfOnLoadUndoesEverything) {
  const std::string before = Registered();
  EXPECT_FALSE(Load({"error"}));
  EXPECT_EQ(Registered(), before);
  EXPECT_NE(Log().find("initialization failed. Module not loaded"), std::string::npos) << Log();
  EXPECT_TRUE(Load());
}

TEST_F(LoadTest, RefusesAnApiVersionThatItDoesNotKnow) {
  const std::string before = Registered();
  EXPECT_FALSE(Load({"apiver", "99"}));
  EXPECT_EQ(Registered(), before);
  EXPECT_NE(Log().find("refused: "), std::string::npos) << Log();
}

TEST_F(LoadTest, RefusesANameThatIsTaken) {
  ASSERT_TRUE(Load());
  const std::string before = Registered();
  const std::string copy = ::testing::TempDir() + "copy_of_probe.so";
  std::filesystem::copy_file(ProbePath(), copy, std::filesystem::copy_options::overwrite_existing);
  const Status loaded = host_.jobs().LoadNow(copy, {});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("MODULE UPGRADE"), std::string::npos);
  EXPECT_EQ(Registered(), before);
  EXPECT_EQ(Run("probe.echo"), "*0\r\n");
}

TEST_F(LoadTest, TheSameFileAgainChangesNothing) {
  ASSERT_TRUE(Load());
  const std::string before = Registered();
  EXPECT_TRUE(Load());
  EXPECT_EQ(Registered(), before);
  EXPECT_NE(Log().find("already"), std::string::npos);
}

TEST_F(LoadTest, RefusesWhatIsNoModule) {
  const std::string before = Registered();
  EXPECT_FALSE(host_.jobs().LoadNow("/nowhere/at/all.so", {}).has_value());
  EXPECT_FALSE(host_.jobs().LoadNow("/bin/true", {}).has_value());
  const std::string text = ::testing::TempDir() + "not_elf.so";
  std::ofstream(text) << "no module";
  EXPECT_FALSE(host_.jobs().LoadNow(text, {}).has_value());
  std::remove(text.c_str());
  EXPECT_EQ(Registered(), before);
}

TEST_F(LoadTest, OnUnloadMayRefuse) {
  ASSERT_TRUE(Load({"stay"}));
  const std::string before = Registered();
  EXPECT_FALSE(host_.Unload("probe", false).has_value());
  EXPECT_EQ(Registered(), before);
  EXPECT_EQ(Run("probe.echo"), "*0\r\n");
}

TEST_F(LoadTest, ValuesOfAModuleKeepIt) {
  ASSERT_TRUE(Load());
  EXPECT_EQ(Run("probe.set k text"), "+OK\r\n");
  EXPECT_FALSE(host_.Unload("probe", false).has_value());
  Run("del k");
  EXPECT_TRUE(host_.Unload("probe", false).has_value());
}

TEST_F(LoadTest, DormantValuesComeAliveWithTheirModule) {
  // Nine characters, version 1; body: opcode STRING, "hi", EOF.
  const std::string body("\x05\x02hi\x00", 5);
  Database& db = keyspace_.db(3);
  const uint64_t id = ModuleTypeId("probetype", 1);
  // As the loader of a file does: the host is asked first.
  auto revived = host_.types().Revive(id, body, "k", 3);
  ASSERT_TRUE(revived.has_value());
  ASSERT_EQ(*revived, nullptr);
  DormantType& type = keyspace_.dormant_types().Of(id);
  db.SetValue(Key("k"), DormantValue::New(type, body));
  db.SetValue(Key("broken"), DormantValue::New(type, std::string("\x02\x07\x00", 3)));
  ASSERT_TRUE(Load()) << Log();
  session_.db_index = 3;
  EXPECT_EQ(Run("probe.get k"), "$2\r\nhi\r\n");
  // What the module cannot read stays as it is.
  EXPECT_EQ(Run("probe.get broken"), "$-1\r\n");
  const auto* still = AsDormant(db.Peek(Key("broken"))->value());
  ASSERT_NE(still, nullptr);
  EXPECT_EQ(still->body(), std::string_view("\x02\x07\x00", 3));
  EXPECT_FALSE(still->last_error().empty());
}

TEST_F(LoadTest, OptionsComeFromDefaultsLoadexAndConfigSet) {
  ASSERT_TRUE(Load());
  EXPECT_EQ(options_.Get({"probe.flag"}).at(0).second, "no");
  ASSERT_TRUE(options_.SetAtRuntime({{"probe.flag", "yes"}}, true).has_value());
  EXPECT_EQ(options_.Get({"probe.*"}).at(0).second, "yes");
  auto refused = options_.SetAtRuntime({{"probe.flag", "perhaps"}}, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "CONFIG SET failed (possibly related to argument 'probe.flag') - argument must be "
            "'yes' or 'no'");
  ASSERT_TRUE(host_.Unload("probe", false).has_value());

  ASSERT_TRUE(Load({}, {{"probe.flag", "yes"}})) << Log();
  EXPECT_EQ(options_.Get({"probe.flag"}).at(0).second, "yes");
  ASSERT_TRUE(host_.Unload("probe", false).has_value());

  EXPECT_FALSE(Load({}, {{"probe.unknown", "yes"}}));
  EXPECT_FALSE(Load({}, {{"probe.flag", "perhaps"}}));
  host_.SetPendingConfigs({{"probe.flag", {"yes"}}, {"other.flag", {"1"}}});
  ASSERT_TRUE(Load()) << Log();
  EXPECT_EQ(options_.Get({"probe.flag"}).at(0).second, "yes");
  EXPECT_EQ(host_.UnusedPendingConfigs(), std::vector<std::string>{"other.flag"});
}

}  // namespace
}  // namespace backplane
