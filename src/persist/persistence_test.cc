// SPDX-License-Identifier: BSD-3-Clause
// Persistence over real files: saves, background saves, save points, crashes and full disks.
#include "persist/persistence.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "persist/persist_test_support.h"
#include "persist/replacement_file.h"

namespace backplane {
namespace {

namespace fs = std::filesystem;
using namespace testing_support;  // NOLINT: a test

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteAll(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Writes beyond `bytes` into any file fail with EFBIG while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &old_); }

 private:
  rlimit old_;
};

class Events final : public PersistenceListener {
 public:
  void OnSaveStarted(DataFile, bool) override { seen += "save "; }
  void OnSaveEnded(bool ok) override { seen += ok ? "saved " : "save-failed "; }
  void OnLoadStarted(DataFile) override { seen += "load "; }
  void OnLoadEnded(bool ok) override { seen += ok ? "loaded " : "load-failed "; }
  void OnForkChild(bool born) override { seen += born ? "born " : "died "; }
  std::string seen;
};

// One server's services in a folder of its own, which is the working directory.
class PersistenceTest : public testing::Test {
 protected:
  PersistenceTest() : old_folder_(fs::current_path()) {
    char name[] = "/tmp/backplane-persistence-XXXXXX";
    folder_ = mkdtemp(name);
    fs::current_path(folder_);
    logger_.set_level(LogLevel::kNothing);
    settings_.save.clear();
    persistence_.AddListener(&events_);
  }
  ~PersistenceTest() override {
    fs::current_path(old_folder_);
    fs::remove_all(folder_);
  }

  // Files in the folder.
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void WaitForChild() {
    while (persistence_.bgsave_running()) {
      persistence_.OnCron();
      usleep(1000);
    }
  }
  std::string Info(const std::string& field) {
    const std::string all = persistence_.PersistenceInfo();
    const size_t at = all.find(field + ":");
    if (at == std::string::npos) return "absent";
    const size_t begin = at + field.size() + 1;
    return all.substr(begin, all.find("\r\n", begin) - begin);
  }
  // The contents of the file, loaded by other services.
  std::map<std::string, std::string> OnDisk() {
    Keyspace loaded(4);
    const auto report = LoadFromBytes(ReadAll("dump.rdb"), loaded);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return Contents(loaded);
  }

  fs::path old_folder_;
  fs::path folder_;
  Keyspace keyspace_{4};
  CommandRegistry registry_;
  PubSub pubsub_;
  Settings settings_;
  Logger logger_;
  Engine engine_{{keyspace_, registry_, pubsub_, settings_, logger_}};
  Events events_;
  Persistence persistence_{engine_};
};

TEST_F(PersistenceTest, SavesAndLoads) {
  EXPECT_TRUE(persistence_.LoadAtStart().has_value());
  EXPECT_EQ(events_.seen, "");
  Fill(keyspace_);
  keyspace_.AddDirty(10);
  EXPECT_EQ(Info("rdb_changes_since_last_save"), "10");
  ASSERT_TRUE(persistence_.Save().has_value());
  EXPECT_EQ(keyspace_.dirty(), 0u);
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
  const auto contents = Contents(keyspace_);
  keyspace_.FlushAll(false);
  ASSERT_TRUE(persistence_.LoadAtStart().has_value());
  EXPECT_EQ(Contents(keyspace_), contents);
  EXPECT_EQ(Info("rdb_last_load_keys_loaded"), std::to_string(contents.size()));
  EXPECT_EQ(events_.seen, "save saved load loaded ");
  EXPECT_TRUE(keyspace_.expires_keys());
  EXPECT_FALSE(engine_.loading());
}

TEST_F(PersistenceTest, SavesInBackgroundWhatWasThereAtTheFork) {
  Fill(keyspace_);
  keyspace_.SetDirty(5);
  const auto contents = Contents(keyspace_);
  ASSERT_TRUE(persistence_.BgSave().has_value());
  EXPECT_EQ(Info("rdb_bgsave_in_progress"), "1");
  EXPECT_EQ(persistence_.BgSave().error().code, ErrorCode::kBusy);
  EXPECT_EQ(persistence_.Save().error().code, ErrorCode::kBusy);
  keyspace_.db(0).SetString("later", "value");
  keyspace_.AddDirty(1);
  WaitForChild();
  EXPECT_TRUE(persistence_.last_bgsave_ok());
  EXPECT_EQ(OnDisk(), contents);
  EXPECT_EQ(keyspace_.dirty(), 1u);
  EXPECT_EQ(events_.seen, "born died ");
  EXPECT_EQ(Info("rdb_last_bgsave_status"), "ok");
  EXPECT_NE(Info("rdb_last_cow_size"), "0");
  EXPECT_EQ(engine_.stats().total_forks, 1u);
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
}

TEST_F(PersistenceTest, SavePointsAndSchedule) {
  settings_.save = {{0, 3}};
  keyspace_.AddDirty(2);
  persistence_.OnCron();
  EXPECT_FALSE(persistence_.bgsave_running());
  keyspace_.AddDirty(1);
  usleep(2000);
  persistence_.OnCron();
  EXPECT_TRUE(persistence_.bgsave_running());
  WaitForChild();
  EXPECT_EQ(keyspace_.dirty(), 0u);

  ASSERT_TRUE(persistence_.ClaimFork());
  EXPECT_FALSE(persistence_.ClaimFork());
  persistence_.ScheduleBgSave();
  persistence_.OnCron();
  EXPECT_FALSE(persistence_.bgsave_running());
  persistence_.ReleaseFork();
  persistence_.OnCron();
  EXPECT_TRUE(persistence_.bgsave_running());
  EXPECT_FALSE(persistence_.ClaimFork());
  WaitForChild();
  persistence_.OnCron();
  EXPECT_FALSE(persistence_.bgsave_running());
}

TEST_F(PersistenceTest, AFailedBackgroundSaveStopsWritesUntilOneWorks) {
  settings_.save = {{3600, 1}};
  fs::create_directory("dump.rdb");
  WriteAll("dump.rdb/x", "");
  EXPECT_FALSE(persistence_.Save().has_value());
  ASSERT_TRUE(persistence_.BgSave().has_value());
  WaitForChild();
  EXPECT_EQ(Info("rdb_last_bgsave_status"), "err");
  EXPECT_TRUE(engine_.writes_blocked_by_save());
  settings_.stop_writes_on_bgsave_error = false;
  persistence_.OnCron();
  EXPECT_FALSE(engine_.writes_blocked_by_save());
  settings_.stop_writes_on_bgsave_error = true;
  persistence_.OnCron();
  EXPECT_TRUE(engine_.writes_blocked_by_save());
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
  // Not at once again, whatever is due.
  persistence_.ScheduleBgSave();
  persistence_.OnCron();
  EXPECT_FALSE(persistence_.bgsave_running());
  fs::remove_all("dump.rdb");
  ASSERT_TRUE(persistence_.Save().has_value());
  EXPECT_FALSE(engine_.writes_blocked_by_save());
}

TEST_F(PersistenceTest, AFullDiskLeavesTheOldFile) {
  keyspace_.db(0).SetString("old", "value");
  ASSERT_TRUE(persistence_.Save().has_value());
  const std::string before = ReadAll("dump.rdb");
  Fill(keyspace_);
  {
    FileSizeLimit limit(20000);
    EXPECT_EQ(persistence_.Save().error().code, ErrorCode::kIo);
    ASSERT_TRUE(persistence_.BgSave().has_value());
    WaitForChild();
  }
  EXPECT_FALSE(persistence_.last_bgsave_ok());
  EXPECT_EQ(ReadAll("dump.rdb"), before);
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
  EXPECT_EQ(events_.seen, "save saved save save-failed born died ");
}

TEST_F(PersistenceTest, AKilledChildLeavesNothing) {
  keyspace_.db(0).SetString("old", "value");
  ASSERT_TRUE(persistence_.Save().has_value());
  const std::string before = ReadAll("dump.rdb");
  for (int i = 0; i < 300000; ++i) keyspace_.db(0).SetString(std::to_string(i), Noise(20));
  ASSERT_TRUE(persistence_.BgSave().has_value());
  while (Files().size() < 2) usleep(100);
  persistence_.KillChild();
  EXPECT_FALSE(persistence_.bgsave_running());
  EXPECT_TRUE(persistence_.last_bgsave_ok());
  EXPECT_EQ(ReadAll("dump.rdb"), before);
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
}

TEST_F(PersistenceTest, LeftoversOfACrashAreHarmless) {
  keyspace_.db(0).SetString("key", "value");
  ASSERT_TRUE(persistence_.Save().has_value());
  const auto contents = Contents(keyspace_);
  const std::string temp = "temp-" + std::to_string(getpid()) + ".rdb";
  WriteAll(temp, "half a file");
  keyspace_.FlushAll(false);
  ASSERT_TRUE(persistence_.LoadAtStart().has_value());
  EXPECT_EQ(Contents(keyspace_), contents);
  // Of the same name as the next save's.
  ASSERT_TRUE(persistence_.Save().has_value());
  EXPECT_EQ(Files(), std::vector<std::string>{"dump.rdb"});
  EXPECT_EQ(OnDisk(), contents);
}

TEST_F(PersistenceTest, ABrokenFileIsAnErrorAndStaysAsItIs) {
  Fill(keyspace_, false);
  ASSERT_TRUE(persistence_.Save().has_value());
  const std::string good = ReadAll("dump.rdb");
  for (const std::string& bad : {std::string(), good.substr(0, good.size() / 2), "x" + good}) {
    WriteAll("dump.rdb", bad);
    keyspace_.FlushAll(false);
    const auto status = persistence_.LoadAtStart();
    ASSERT_FALSE(status.has_value());
    EXPECT_TRUE(
        status.error().message.starts_with("Fatal error loading the DB from file dump.rdb: "));
    EXPECT_NE(status.error().message.find(" at offset "), std::string::npos);
    EXPECT_EQ(ReadAll("dump.rdb"), bad);
  }
  fs::remove("dump.rdb");
  fs::create_directory("dump.rdb");
  EXPECT_FALSE(persistence_.LoadAtStart().has_value());
}

TEST_F(PersistenceTest, ReloadsAndMerges) {
  Fill(keyspace_, false);
  ASSERT_TRUE(persistence_.Save().has_value());
  const auto contents = Contents(keyspace_);
  EXPECT_TRUE(persistence_.Reload({}).has_value());
  EXPECT_EQ(Contents(keyspace_), contents);
  keyspace_.db(0).SetString("zero", "changed");
  keyspace_.db(0).SetString("more", "value");
  EXPECT_FALSE(persistence_.Reload({.flush = false}).has_value());
  EXPECT_TRUE(persistence_.Reload({.flush = false, .merge = true}).has_value());
  auto merged = contents;
  merged["0/more"] = "string/embstr value";
  EXPECT_EQ(Contents(keyspace_), merged);
  WriteAll("dump.rdb", "REDIS0011\x00\x01k\x01v");
  EXPECT_FALSE(persistence_.Reload({}).has_value());
  EXPECT_TRUE(Contents(keyspace_).empty());
}

TEST_F(PersistenceTest, ShutdownSavesWhenAsked) {
  keyspace_.db(0).SetString("key", "value");
  EXPECT_TRUE(persistence_.SaveOnShutdown(false, false).has_value());
  EXPECT_TRUE(Files().empty());
  settings_.save = {{3600, 1}};
  EXPECT_TRUE(persistence_.SaveOnShutdown(false, true).has_value());
  EXPECT_TRUE(Files().empty());
  ASSERT_TRUE(persistence_.BgSave().has_value());
  EXPECT_TRUE(persistence_.SaveOnShutdown(false, false).has_value());
  EXPECT_EQ(OnDisk(), Contents(keyspace_));
  keyspace_.FlushAll(false);
  persistence_.OnFlushAll();
  EXPECT_TRUE(OnDisk().empty());
  fs::remove("dump.rdb");
  fs::create_directory("dump.rdb");
  EXPECT_FALSE(persistence_.SaveOnShutdown(true, false).has_value());
}

TEST_F(PersistenceTest, InfoHasTheFieldsThatToolsRead) {
  for (const char* field :
       {"loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age",
        "current_fork_perc", "current_save_keys_processed", "current_save_keys_total",
        "rdb_changes_since_last_save", "rdb_bgsave_in_progress", "rdb_saves",
        "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded", "module_fork_in_progress"}) {
    EXPECT_TRUE(Info(field) == "0" || Info(field) == "0.00") << field << " " << Info(field);
  }
  EXPECT_EQ(Info("rdb_last_bgsave_time_sec"), "-1");
  EXPECT_EQ(Info("rdb_current_bgsave_time_sec"), "-1");
  EXPECT_LE(std::abs(std::stoll(Info("rdb_last_save_time")) - WallMillis() / 1000), 60);
}

TEST_F(PersistenceTest, ReplacementIsAllOrNothing) {
  WriteAll("file", "old");
  {
    auto file = ReplacementFile::Create("file", "temp");
    ASSERT_TRUE(file.has_value());
    ASSERT_EQ(write(file->fd(), "new", 3), 3);
  }
  EXPECT_EQ(ReadAll("file"), "old");
  EXPECT_EQ(Files(), std::vector<std::string>{"file"});
  // A link at the temporary name is replaced, not followed.
  fs::create_symlink("file", "temp");
  {
    auto file = ReplacementFile::Create("file", "temp");
    ASSERT_TRUE(file.has_value());
    ASSERT_EQ(write(file->fd(), "new", 3), 3);
    EXPECT_EQ(ReadAll("file"), "old");
    ASSERT_TRUE(file->Commit().has_value());
  }
  EXPECT_EQ(ReadAll("file"), "new");
  EXPECT_EQ(Files(), std::vector<std::string>{"file"});
  EXPECT_FALSE(ReplacementFile::Create("no/such/file", "no/such/temp").has_value());
}

}  // namespace
}  // namespace backplane
