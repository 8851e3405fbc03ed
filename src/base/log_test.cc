// SPDX-License-Identifier: BSD-3-Clause
// The log's line format, filter, rotation, failures, and that threads and forks do not mix lines.
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace backplane {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    char name[] = "/tmp/backplane-log-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    path_ = folder_ + "/server.log";
  }
  ~LogTest() override { std::filesystem::remove_all(folder_); }

  static std::string Read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_;
  std::string path_;
  Logger logger_;
};

TEST_F(LogTest, WritesFromASignalHandlerWithoutTheLock) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  {
    // As a handler finds it that has interrupted Log.
    const Logger::ForkLock lock(logger_);
    logger_.LogFromSignal(LogLevel::kWarning, "stopped");
    logger_.LogFromSignal(LogLevel::kDebug, "below the level");
    logger_.LogFromSignal(LogLevel::kNotice, std::string(1000, 'x'));
  }
  std::filesystem::rename(path_, path_ + ".1");
  logger_.Notice("opens the new file");
  logger_.LogFromSignal(LogLevel::kWarning, "goes there");
  const std::string head = std::to_string(::getpid()) + ":signal-handler \\([0-9]{10,}\\) ";
  EXPECT_THAT(Read(path_ + ".1"),
              testing::MatchesRegex(head + "stopped\n" + head + "x{150,255}\n"));
  EXPECT_THAT(Read(path_), testing::MatchesRegex(".*opens the new file\n" + head + "goes there\n"));
}

TEST_F(LogTest, WritesTheLineFormat) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  logger_.set_level(LogLevel::kDebug);
  logger_.Debug("a");
  logger_.set_role(LogRole::kReplica);
  logger_.Verbose("b {} %s");
  logger_.Notice("");
  logger_.set_role(LogRole::kChild);
  logger_.Warning("last");
  const std::string pid = std::to_string(::getpid());
  const std::string when =
      R"( [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} )";
  EXPECT_THAT(Read(path_), testing::MatchesRegex(pid + ":M" + when + "\\. a\n" + pid + ":S" + when +
                                                 "- b \\{\\} %s\n" + pid + ":S" + when + "\\* \n" +
                                                 pid + ":C" + when + "# last\n"));
}

TEST_F(LogTest, ShowsLocalTime) {
  ASSERT_EQ(::setenv("TZ", "XXX-05:45", 1), 0);  // east of Greenwich, not a whole hour
  ::tzset();
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  std::set<std::string> right;
  const auto add_now = [&right] {
    const std::time_t shifted = std::time(nullptr) + 5 * 3600 + 45 * 60;
    std::tm utc;
    char text[64];
    ::gmtime_r(&shifted, &utc);
    std::strftime(text, sizeof(text), " %d %b %Y %H:%M:%S.", &utc);
    right.insert(text);
  };
  add_now();
  logger_.Notice("now");
  add_now();
  const std::string line = Read(path_);
  EXPECT_TRUE(line.find(*right.begin()) != std::string::npos ||
              line.find(*right.rbegin()) != std::string::npos)
      << line;
  ::unsetenv("TZ");
  ::tzset();
}

TEST_F(LogTest, FiltersByLevel) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  EXPECT_FALSE(logger_.Enabled(LogLevel::kVerbose));
  logger_.Verbose("no");
  logger_.LogRaw(LogLevel::kVerbose, "no");
  logger_.LogRaw(LogLevel::kNotice, "banner");
  logger_.set_level(LogLevel::kNothing);
  EXPECT_FALSE(logger_.Enabled(LogLevel::kNothing));
  logger_.Warning("no");
  EXPECT_EQ(Read(path_), "banner\n");
}

TEST_F(LogTest, FollowsARenamedFile) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  logger_.LogRaw(LogLevel::kNotice, "one");
  std::filesystem::rename(path_, path_ + ".1");
  logger_.LogRaw(LogLevel::kNotice, "two");
  std::filesystem::remove(path_);
  logger_.LogRaw(LogLevel::kNotice, "three");
  EXPECT_EQ(Read(path_ + ".1"), "one\n");
  EXPECT_EQ(Read(path_), "three\n");
  ASSERT_TRUE(logger_.Reopen().has_value());
  logger_.LogRaw(LogLevel::kNotice, "four");
  EXPECT_EQ(Read(path_), "three\nfour\n");
}

TEST_F(LogTest, AFileThatCannotBeOpenedChangesNothing) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  const Status status = logger_.OpenFile(folder_ + "/absent/server.log");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, testing::HasSubstr("absent/server.log: No such file"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/absent"));
  logger_.LogRaw(LogLevel::kNotice, "still here");
  EXPECT_EQ(Read(path_), "still here\n");
  // Its folder goes: lines are lost, and the server is not.
  std::filesystem::rename(folder_, folder_ + ".away");
  logger_.LogRaw(LogLevel::kNotice, "to the old file");
  EXPECT_EQ(Read(folder_ + ".away/server.log"), "still here\nto the old file\n");
  std::filesystem::rename(folder_ + ".away", folder_);
}

TEST_F(LogTest, AFullDiskIsNotAnError) {
  ASSERT_TRUE(logger_.OpenFile("/dev/full").has_value());
  logger_.Notice("lost");
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  logger_.LogRaw(LogLevel::kNotice, "kept");
  EXPECT_EQ(Read(path_), "kept\n");
}

TEST_F(LogTest, GoesBackToStandardOutput) {
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  ASSERT_TRUE(logger_.OpenFile("").has_value());
  testing::internal::CaptureStdout();
  logger_.LogRaw(LogLevel::kNotice, "shown");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "shown\n");
  EXPECT_EQ(Read(path_), "");
}

TEST_F(LogTest, ThreadsAndForksKeepLinesWhole) {
  constexpr int kThreads = 3;
  constexpr int kLines = 300;
  ASSERT_TRUE(logger_.OpenFile(path_).has_value());
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < kLines; ++n) {
        logger_.LogRaw(LogLevel::kNotice, std::string(80, static_cast<char>('a' + i)));
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    pid_t child;
    {
      const Logger::ForkLock lock(logger_);
      child = ::fork();
    }
    if (child == 0) {
      logger_.LogRaw(LogLevel::kNotice, std::string(80, 'z'));
      ::kill(::getpid(), SIGKILL);  // an exit would run the sanitizers' final checks in the child
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  for (std::thread& thread : threads) thread.join();
  std::ifstream in(path_);
  std::multiset<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), static_cast<size_t>(kThreads * kLines + 10));
  for (char c : {'a', 'b', 'c'}) EXPECT_EQ(lines.count(std::string(80, c)), size_t{kLines});
  EXPECT_EQ(lines.count(std::string(80, 'z')), 10u);
}

}  // namespace
}  // namespace backplane
