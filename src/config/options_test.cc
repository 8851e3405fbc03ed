// SPDX-License-Identifier: BSD-3-Clause
// Options: parsing and error texts, all-or-none setting, files, command line, rewrite.
#include "config/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "config/builtin_options.h"

namespace backplane {
namespace {

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() { RegisterBuiltinOptions(table_, settings_, limits_); }
  ~OptionsTest() override { std::remove(path_.c_str()); }
  std::string SetError(const std::string& name, const std::string& value) {
    auto status = table_.SetAtRuntime({{name, value}}, true);
    return status ? "" : status.error().message;
  }
  std::string Get(const std::string& name) {
    auto pairs = table_.Get({name});
    return pairs.size() == 1 ? pairs[0].second : "?";
  }
  std::string File(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }

  const std::string path_ =
      testing::TempDir() + "backplane_options_" + std::to_string(getpid()) + ".conf";
  Settings settings_;
  EncodingLimits limits_;
  OptionTable table_;
};

TEST_F(OptionsTest, GivesTheErrorTextsThatClientsKnow) {
  auto failure = [](const std::string& name, const std::string& why) {
    return "CONFIG SET failed (possibly related to argument '" + name + "') - " + why;
  };
  EXPECT_EQ(SetError("maxclients", "abc"),
            failure("maxclients", "argument couldn't be parsed into an integer"));
  EXPECT_EQ(SetError("maxclients", "0"),
            failure("maxclients", "argument must be between 1 and 4294967295 inclusive"));
  EXPECT_EQ(SetError("rdbcompression", "x"),
            failure("rdbcompression", "argument must be 'yes' or 'no'"));
  EXPECT_EQ(SetError("loglevel", "x"),
            failure("loglevel",
                    "argument(s) must be one of the following: debug, verbose, notice, warning"));
  EXPECT_EQ(SetError("databases", "3"), failure("databases", "can't set immutable config"));
  EXPECT_EQ(SetError("proto-max-bulk-len", "1x"),
            failure("proto-max-bulk-len", "argument must be a memory value"));
  EXPECT_EQ(SetError("save", "a b"), failure("save", "Invalid save parameters"));
  EXPECT_EQ(
      SetError("notify-keyspace-events", "Q"),
      failure("notify-keyspace-events", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."));
  EXPECT_EQ(SetError("client-output-buffer-limit", "normal 0 0"),
            failure("client-output-buffer-limit",
                    "Wrong number of arguments in buffer limit configuration."));
  EXPECT_EQ(SetError("nope", "1"), "Unknown option or number of arguments for CONFIG SET - 'nope'");
  auto protected_set = table_.SetAtRuntime({{"dir", "/"}}, false);
  EXPECT_EQ(protected_set.error().message, failure("dir", "can't set protected config"));
  auto twice = table_.SetAtRuntime({{"timeout", "1"}, {"timeout", "2"}}, true);
  EXPECT_EQ(twice.error().message, failure("timeout", "duplicate parameter"));
}

TEST_F(OptionsTest, SetsAllOrNone) {
  auto status =
      table_.SetAtRuntime({{"timeout", "7"}, {"save", "10 1"}, {"maxclients", "bad"}}, true);
  EXPECT_FALSE(status.has_value());
  EXPECT_EQ(settings_.timeout, 0);
  EXPECT_EQ(Get("save"), "3600 1 300 100 60 10000");
}

TEST_F(OptionsTest, AListenersRefusalPutsTheOldValuesBack) {
  class Refuser final : public OptionListener {
   public:
    Status OnOptionsChanged(const std::vector<std::string>&) override {
      return Fail(ErrorCode::kIo, "port in use");
    }
  } refuser;
  table_.AddListener(&refuser);
  EXPECT_EQ(SetError("port", "7000"),
            "CONFIG SET failed (possibly related to argument 'port') - port in use");
  EXPECT_EQ(settings_.port, 6379);
}

TEST_F(OptionsTest, WhoWasToldOfRefusedValuesIsToldTheOldOnes) {
  class Follower final : public OptionListener {
   public:
    Follower(const int64_t* value, bool refuses) : value_(value), refuses_(refuses) {}
    Status OnOptionsChanged(const std::vector<std::string>&) override {
      told.push_back(*value_);
      if (refuses_ && *value_ == 7000) return Fail(ErrorCode::kIo, "port in use");
      return {};
    }
    std::vector<int64_t> told;

   private:
    const int64_t* value_;
    bool refuses_;
  };
  Follower first(&settings_.port, false);
  Follower refuser(&settings_.port, true);
  Follower last(&settings_.port, false);
  for (Follower* listener : {&first, &refuser, &last}) table_.AddListener(listener);
  EXPECT_NE(SetError("port", "7000"), "");
  const std::vector<int64_t> both = {7000, 6379};
  EXPECT_EQ(first.told, both);
  EXPECT_EQ(refuser.told, both);
  EXPECT_TRUE(last.told.empty());
}

TEST_F(OptionsTest, ValuesOfTheCommandLineMayBeginWithDashes) {
  ASSERT_TRUE(ApplyCommandLine(table_, {"--proc-title-template", "--x", "--port", "1"}));
  EXPECT_EQ(settings_.proc_title_template, "--x");
  EXPECT_EQ(settings_.port, 1);
  ASSERT_TRUE(ApplyCommandLine(table_, {"--proc-title-template --y", "--save", "--port", "2"}));
  EXPECT_EQ(settings_.proc_title_template, "--y");
  EXPECT_TRUE(settings_.save.empty());
  EXPECT_EQ(settings_.port, 2);
  EXPECT_FALSE(ApplyCommandLine(table_, {"--port", "--loglevel", "debug"}));
  // Behind a file the first name may do without.
  ASSERT_TRUE(
      ApplyCommandLine(table_, {File("port 3\n"), "loglevel", "debug", "--maxclients", "7"}));
  EXPECT_EQ(settings_.loglevel, 0);
  EXPECT_EQ(settings_.maxclients, 7);
}

TEST_F(OptionsTest, FoldersCanBeTakenAwayButNotAdded) {
  const std::string path = File("module-directories /a \"/b c\" /d\n");
  ASSERT_TRUE(ApplyCommandLine(table_, {path}).has_value());
  const std::string all = "/a \"/b c\" /d";
  EXPECT_EQ(Get("module-directories"), all);
  EXPECT_EQ(SetError("module-directories", all), "");
  for (const char* wider : {"", "/", "/a /e", "/b"}) {
    EXPECT_EQ(SetError("module-directories", wider),
              "CONFIG SET failed (possibly related to argument 'module-directories') - at run time "
              "folders can be taken off the list, not added");
  }
  // With another option that fails, the list is what it was.
  EXPECT_FALSE(
      table_.SetAtRuntime({{"module-directories", "\"/b c\""}, {"maxclients", "x"}}, true));
  EXPECT_EQ(settings_.module_directories, (std::vector<std::string>{"/a", "/b c", "/d"}));
  EXPECT_EQ(SetError("module-directories", "\"/b c\" /d"), "");
  EXPECT_EQ(settings_.module_directories, (std::vector<std::string>{"/b c", "/d"}));
  EXPECT_NE(SetError("module-directories", "/a"), "");
}

TEST_F(OptionsTest, NobodysReplica) {
  for (const char* line : {"replicaof no one\n", "SLAVEOF NO ONE\n"}) {
    EXPECT_TRUE(ApplyCommandLine(table_, {File(line)}).has_value()) << line;
  }
  EXPECT_EQ(table_.Get({"*of"}).size(), 2u);
  EXPECT_EQ(Get("slaveof"), "");
  EXPECT_NE(SetError("replicaof", "no one").find("can't set immutable config"), std::string::npos);
  const std::pair<const char*, const char*> refused[] = {
      {"replicaof a b c\n", "wrong number of arguments"},
      {"replicaof a\n", "wrong number of arguments"},
      {"replicaof 127.0.0.1 abc\n", "Invalid master port"},
      {"replicaof 127.0.0.1 65536\n", "Invalid master port"},
      {"replicaof 127.0.0.1 -1\n", "Invalid master port"},
      {"replicaof 127.0.0.1 6379\n", "this server has no replication"}};
  for (const auto& [line, why] : refused) {
    const auto outcome = ApplyCommandLine(table_, {File(line)});
    ASSERT_FALSE(outcome.has_value()) << line;
    EXPECT_NE(outcome.error().message.find(why), std::string::npos) << outcome.error().message;
  }
}

TEST_F(OptionsTest, PatternsAndAliasesFindOptions) {
  EXPECT_EQ(Get("hash-max-ziplist-entries"), Get("hash-max-listpack-entries"));
  EXPECT_EQ(SetError("hash-max-ziplist-entries", "5"), "");
  EXPECT_EQ(limits_.hash_max_listpack_entries, 5u);
  EXPECT_EQ(table_.Get({"slowlog*"}).size(), 2u);
  EXPECT_EQ(Get("PORT"), "6379");
  EXPECT_EQ(table_.Get({"PORT"})[0].first, "PORT");
}

TEST_F(OptionsTest, ReadsFileAndCommandLineInThatOrder) {
  std::string path = File(
      "# comment\nport 7000\nsave 60 1\nsave 30 2\nmaxclients 5\nrename-command KEYS \"\"\n"
      "loadmodule /x.so a \"b c\"\nserver_cpulist 0\nsearch.threads 4\n");
  auto directives =
      ApplyCommandLine(table_, {path, "--port", "7001", "--save", "", "--loglevel", "debug"});
  ASSERT_TRUE(directives.has_value()) << directives.error().message;
  EXPECT_EQ(settings_.port, 7001);
  EXPECT_TRUE(settings_.save.empty());
  EXPECT_EQ(settings_.maxclients, 5);
  EXPECT_EQ(directives->modules.size(), 1u);
  EXPECT_EQ(directives->modules[0].args, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(directives->renames[0].first, "KEYS");
  EXPECT_EQ(directives->ignored, std::vector<std::string>{"server_cpulist"});
  EXPECT_EQ(directives->unknown[0].first, "search.threads");
}

// Set, shown by both names, written, read again; checked as Redis checks them.
TEST_F(OptionsTest, OptionsWithoutEffectAreKept) {
  const std::pair<const char*, const char*> values[] = {{"repl-backlog-size", "2000000"},
                                                        {"repl-ping-replica-period", "3"},
                                                        {"repl-timeout", "7"},
                                                        {"repl-diskless-load", "swapdb"},
                                                        {"replica-serve-stale-data", "no"},
                                                        {"masteruser", "me"},
                                                        {"masterauth", "se cret"},
                                                        {"propagation-error-behavior", "panic"},
                                                        {"activerehashing", "no"},
                                                        {"active-defrag-cycle-max", "99"}};
  StartupDirectives directives;
  directives.config_file = File("repl-ping-slave-period 4\nslave-priority 5\nactivedefrag no\n");
  ASSERT_TRUE(ApplyConfigFile(table_, directives.config_file, &directives).has_value());
  EXPECT_TRUE(directives.ignored.empty());
  EXPECT_EQ(Get("repl-ping-replica-period"), "4");
  EXPECT_EQ(Get("replica-priority"), "5");
  EXPECT_EQ(table_.Get({"repl-ping-*"}).size(), 2u);
  for (const auto& [name, value] : values) EXPECT_EQ(SetError(name, value), "") << name;
  ASSERT_TRUE(RewriteConfigFile(table_, directives).has_value());
  Settings settings;
  OptionTable again;
  EncodingLimits limits;
  RegisterBuiltinOptions(again, settings, limits);
  ASSERT_TRUE(ApplyConfigFile(again, directives.config_file, &directives).has_value());
  for (const auto& [name, value] : values) {
    EXPECT_EQ(Get(name), value);
    EXPECT_EQ(again.Find(name)->Get(), value);
  }
  EXPECT_EQ(again.Find("slave-priority")->Get(), "5");
  const std::pair<const char*, const char*> refused[] = {
      {"repl-backlog-size", "0"},          {"repl-timeout", "0"},
      {"repl-ping-slave-period", "0"},     {"replica-announce-port", "65536"},
      {"active-defrag-cycle-min", "100"},  {"active-defrag-threshold-lower", "1001"},
      {"repl-diskless-load", "sometimes"}, {"activedefrag", "perhaps"}};
  for (const auto& [name, value] : refused) EXPECT_NE(SetError(name, value), "") << name;
  EXPECT_TRUE(SetError("activedefrag", "yes").find("cannot be enabled") != std::string::npos);
  EXPECT_EQ(Get("activedefrag"), "no");
}

TEST_F(OptionsTest, EveryDefaultCanBeWrittenAndReadAgain) {
  StartupDirectives directives;
  directives.config_file = File("# nothing\n");
  ASSERT_TRUE(RewriteConfigFile(table_, directives, RewriteWhat::kAll).has_value());
  const auto status = ApplyConfigFile(table_, directives.config_file, &directives);
  EXPECT_TRUE(status.has_value()) << status.error().message;
  EXPECT_EQ(Get("syslog-facility"), "local0");
}

TEST_F(OptionsTest, SaveLinesOfAFileAddUp) {
  ASSERT_TRUE(ApplyCommandLine(table_, {File("save 60 1\nsave 30 2\n")}).has_value());
  EXPECT_EQ(Get("save"), "60 1 30 2");
}

TEST_F(OptionsTest, AModuleOnTheCommandLineKeepsItsArguments) {
  auto directives =
      ApplyCommandLine(table_, {"--loadmodule", "/x.so", "one", "two", "--port", "0"});
  ASSERT_TRUE(directives.has_value());
  EXPECT_EQ(directives->modules[0].args, (std::vector<std::string>{"one", "two"}));
}

TEST_F(OptionsTest, NamesTheLineOfABadFile) {
  auto directives = ApplyCommandLine(table_, {File("port 7000\nbogus option\n")});
  ASSERT_FALSE(directives.has_value());
  EXPECT_NE(directives.error().message.find("at line 2"), std::string::npos);
  EXPECT_NE(directives.error().message.find("bogus option"), std::string::npos);
  EXPECT_FALSE(ApplyCommandLine(table_, {"/does/not/exist.conf"}).has_value());
}

TEST_F(OptionsTest, RewriteKeepsCommentsAndReplacesValues) {
  std::string path = File("# my comment\nport 7000\nmaxclients 5\n");
  auto directives = ApplyCommandLine(table_, {path});
  ASSERT_TRUE(directives.has_value());
  EXPECT_EQ(SetError("maxclients", "6"), "");
  EXPECT_EQ(SetError("timeout", "9"), "");
  directives->modules.push_back({"/m.so", {"x y"}});
  ASSERT_TRUE(RewriteConfigFile(table_, *directives).has_value());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(),
            "# my comment\nport 7000\nmaxclients 6\n# Generated by CONFIG REWRITE\nloadmodule "
            "/m.so \"x y\"\n"
            "timeout 9\n");
}

}  // namespace
}  // namespace backplane
