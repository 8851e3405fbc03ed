// SPDX-License-Identifier: BSD-3-Clause
// Snapshots: whole data sets there and back, files of old versions made by hand, what is kept
// unused, modules' part, and damage at every bit and every length.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/crc64.h"
#include "persist/persist_test_support.h"
#include "persist/rdb_format.h"

namespace backplane {
namespace {

using namespace testing_support;  // NOLINT: a test
using std::string_literals::operator""s;

std::string Bytes(std::initializer_list<std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}

// Header and checksum around fields.
std::string FileOf(int version, const std::string& fields) {
  char header[16];
  std::snprintf(header, sizeof(header), "REDIS%04d", version);
  std::string file = header + fields + "\xff";
  if (version < rdb::kVersionChecksum) return file;
  const uint64_t crc = Crc64(0, file);
  return file.append(reinterpret_cast<const char*>(&crc), 8);
}

std::string ErrorOf(std::string_view file, const SnapshotLoadOptions& options = {}) {
  Keyspace keyspace(16);
  const auto report = LoadFromBytes(file, keyspace, options);
  return report ? "" : report.error().message;
}

TEST(Snapshot, EverythingComesBack) {
  Keyspace keyspace(5);
  Fill(keyspace);
  for (const int version : {10, 11}) {
    for (const bool compress : {true, false}) {
      for (const bool checksum : {true, false}) {
        const std::string bytes = SaveToBytes(
            keyspace, {.rdb_version = version, .compress = compress, .checksum = checksum});
        EXPECT_EQ(bytes.substr(0, 9), version == 10 ? "REDIS0010" : "REDIS0011");
        EXPECT_EQ(bytes.ends_with("\0\0\0\0\0\0\0\0"s), !checksum);
        Keyspace loaded(5);
        const auto report = LoadFromBytes(bytes, loaded);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(report->rdb_version, version);
        EXPECT_EQ(report->keys_loaded, keyspace.KeyCount());
        EXPECT_EQ(report->keys_dormant, 1u);
        EXPECT_EQ(loaded.db(4).expires_size(), 2u);
        EXPECT_EQ(Contents(loaded), Contents(keyspace));
      }
    }
  }
}

TEST(Snapshot, AnEmptyDataSet) {
  Keyspace keyspace(1);
  Keyspace loaded(1);
  EXPECT_EQ(LoadFromBytes(SaveToBytes(keyspace), loaded)->keys_loaded, 0u);
}

TEST(Snapshot, FilesOfOldVersions) {
  Keyspace keyspace(16);
  // Version 1 to 4 end without a checksum; expiry in seconds.
  const auto old =
      Bytes({"\xfe\x03"s, "\x00\x01"s, "a\xc0\x05", "\xfd\x00\x00\x00\x7f"s, "\x00\x01"s, "b\x01",
             "x", "\xfd\x00\x00\x00\x01"s, "\x00\x01"s, "c\x01", "y"});
  for (const int version : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
    keyspace.FlushAll(false);
    const auto report = LoadFromBytes(FileOf(version, old), keyspace);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->keys_loaded, 2u);
    EXPECT_EQ(report->keys_expired, 1u);
    EXPECT_EQ(Contents(keyspace),
              (std::map<std::string, std::string>{{"3/a", "string/int 5"},
                                                  {"3/b", "string/embstr x @2130706432000"}}));
  }
}

// The example of docs/formats/rdb.md.
TEST(Snapshot, TheDocumentedExample) {
  constexpr std::string_view kHex =
      "524544495330303131fe03fb030100016ec1e803fc00d8c32cbb03000000036d736702686912016c"
      "01020d0d0000000200816102816202ffffd52e1d9204808a7c";
  std::string bytes;
  for (size_t i = 0; i < kHex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(kHex.substr(i, 2)), nullptr, 16)));
  }
  Keyspace keyspace(4);
  const auto report = LoadFromBytes(bytes, keyspace);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(Contents(keyspace),
            (std::map<std::string, std::string>{{"3/n", "string/int 1000"},
                                                {"3/msg", "string/embstr hi @4102444800000"},
                                                {"3/l", "list/listpack 1:a1:b"}}));
}

TEST(Snapshot, HintsAndUnknownAuxFieldsAreNoObstacle) {
  const auto fields =
      Bytes({"\xfa\x03xyz\x01z", "\xfe"s + "\x00"s,
             "\xfb\x81\xff\xff\xff\xff\xff\xff\xff\xff\x81\xff\xff\xff\xff\xff\xff"
             "\xff\xff",
             "\xf4\x01\x02\x03", "\xf8\x05"s, "\x00\x01k\x01v"s, "\xf9\x07"s, "\x00\x01l\x01v"s});
  Keyspace keyspace(1);
  keyspace.set_now_ms(1'000'000'000);
  const auto report = LoadFromBytes(FileOf(11, fields), keyspace);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(keyspace.db(0).Peek("k")->access(), keyspace.access_clock() - 5);
  EXPECT_EQ(keyspace.db(0).Peek("l")->access(), keyspace.access_clock());
}

TEST(Snapshot, ReplicasKeepExpiredKeys) {
  const auto fields = "\xfc\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01k\x01v"s;
  Keyspace keyspace(1);
  EXPECT_EQ(LoadFromBytes(FileOf(11, fields), keyspace, {.drop_expired = false})->keys_loaded, 1u);
}

TEST(Snapshot, FunctionsAreKeptAndWrittenBack) {
  const auto fields = "\xf5\x0a#!lua code"s + "\xf6\x01n\x03lua\x01\x04text\x04"s + "code" +
                      "\xf6\x01n\x03lua\x00\x04"s + "code";
  Keyspace keyspace(1);
  SnapshotExtras extras;
  ASSERT_TRUE(LoadFromBytes(FileOf(11, fields), keyspace, {.extras = &extras}).has_value());
  ASSERT_EQ(extras.functions.size(), 3u);
  const std::string saved = SaveToBytes(keyspace, {.extras = &extras});
  EXPECT_NE(saved.find(fields), std::string::npos);
}

TEST(Snapshot, ErrorsSayWhatAndWhere) {
  EXPECT_EQ(ErrorOf("REDIS0012\xff\0\0\0\0\0\0\0\0"s),
            "Can't handle RDB format version 12 at offset 9");
  EXPECT_EQ(ErrorOf("REDIS0000\xff"), "Can't handle RDB format version 0 at offset 9");
  EXPECT_EQ(ErrorOf("hello world, no RDB"),
            "Wrong signature trying to load DB from file at offset 9");
  EXPECT_EQ(ErrorOf("REDIS00x1"), "Wrong signature trying to load DB from file at offset 9");
  EXPECT_EQ(ErrorOf(""), "unexpected end of the input at offset 0");
  EXPECT_EQ(ErrorOf("REDIS0011"), "unexpected end of the input at offset 9");
  EXPECT_EQ(ErrorOf(FileOf(11, "\xfe\x10")),
            "database 16 in a file for more than the configured 16 databases at offset 11");
  EXPECT_EQ(ErrorOf(FileOf(11, "\x00\x01k\x01v\x00\x01k\x01w"s)),
            "key \"k\" of database 0 occurs twice at offset 19");
  EXPECT_EQ(ErrorOf(FileOf(11, "\x63\x01k\x01v"s)),
            "key \"k\" of database 0: unknown RDB type 99 at offset 12");
  EXPECT_NE(ErrorOf(FileOf(11, "\x06\x01k\x01v"s)).find("module value of the old form"),
            std::string::npos);
  EXPECT_NE(ErrorOf(FileOf(11, "\x10\x01k\x01v"s)).find("malformed listpack at offset 14"),
            std::string::npos);
  std::string bad_sum = FileOf(11, "\x00\x01k\x01v"s);
  bad_sum.back() ^= 1;
  EXPECT_EQ(ErrorOf(bad_sum), "Wrong RDB checksum at offset 23");
  EXPECT_EQ(ErrorOf(bad_sum, {.checksum = false}), "");
  Keyspace keyspace(1);
  EXPECT_TRUE(LoadFromBytes(FileOf(11, "\x00\x01k\x01v\x00\x01k\x01w"s), keyspace,
                            {.replace_duplicates = true})
                  .has_value());
  EXPECT_EQ(Describe(*keyspace.db(0).Peek("k")), "string/embstr w");
}

// A module host that knows one type, "testtype1", and refuses bodies that hold "no".
class FakeModules final : public ModuleValues {
 public:
  Result<std::unique_ptr<Value>> Revive(uint64_t type_id, std::string_view body,
                                        std::string_view key, int db) override {
    revived.push_back(std::to_string(db) + "/" + std::string(key));
    if (ModuleTypeName(type_id) != "testtype1") return nullptr;
    if (body.find("no") != std::string_view::npos) {
      return Fail(ErrorCode::kCorrupt, "refused by the module");
    }
    // Stands for a live value.
    auto value = std::make_unique<ListValue>();
    value->Push(ListEnd::kTail, body, {});
    return value;
  }
  Status LoadAux(uint64_t type_id, int when, std::string_view body) override {
    if (fail_aux) return Fail(ErrorCode::kCorrupt, "aux refused");
    loaded.push_back(ModuleTypeName(type_id) + "/" + std::to_string(when) + "/" +
                     std::string(body));
    return {};
  }
  void SaveAux(int when, AuxOut& out) override {
    out.Field(ModuleTypeId("testtype1", when), when == 1 ? "\x02\x05\x00"s : ModuleBody());
  }
  std::vector<std::string> revived;
  std::vector<std::string> loaded;
  bool fail_aux = false;
};

TEST(Snapshot, ModulesGetTheirValuesAndAuxFields) {
  Keyspace keyspace(2);
  Database& db = keyspace.db(1);
  DormantType& type = keyspace.dormant_types().Of(ModuleTypeId("testtype1", 1));
  DormantType& other = keyspace.dormant_types().Of(ModuleTypeId("othertype", 1));
  db.SetValue("good", DormantValue::New(type, ModuleBody()));
  db.SetValue("bad", DormantValue::New(type, "\x05\x02no\x00"s));
  db.SetValue("other", DormantValue::New(other, ModuleBody()));
  FakeModules modules;
  const std::string bytes = SaveToBytes(keyspace, {.modules = &modules});
  Keyspace loaded(2);
  const auto report = LoadFromBytes(bytes, loaded, {.modules = &modules});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->keys_dormant, 2u);
  EXPECT_EQ(loaded.db(1).Peek("good")->type(), TypeId::kList);
  EXPECT_EQ(AsDormant(loaded.db(1).Peek("bad")->value())->last_error(), "refused by the module");
  EXPECT_EQ(AsDormant(loaded.db(1).Peek("other")->value())->last_error(), "");
  EXPECT_EQ(modules.revived.size(), 3u);
  EXPECT_EQ(modules.loaded,
            (std::vector<std::string>{"testtype1/1/\x02\x05\x00"s, "testtype1/2/" + ModuleBody()}));
  modules.fail_aux = true;
  EXPECT_NE(ErrorOf(bytes, {.modules = &modules}).find("aux refused at offset "),
            std::string::npos);

  // Without modules the same file is kept whole.
  Keyspace dormant(2);
  SnapshotExtras extras;
  ASSERT_TRUE(LoadFromBytes(bytes, dormant, {.extras = &extras}).has_value());
  EXPECT_EQ(extras.module_aux.size(), 2u);
  Keyspace revived(2);
  FakeModules late;
  ASSERT_TRUE(LoadFromBytes(SaveToBytes(dormant, {.extras = &extras}), revived, {.modules = &late})
                  .has_value());
  EXPECT_EQ(late.loaded,
            (std::vector<std::string>{"testtype1/1/\x02\x05\x00"s, "testtype1/2/" + ModuleBody()}));
  EXPECT_EQ(Contents(revived), Contents(loaded));
}

// What loading this file gives, or nothing for an error.
std::map<std::string, std::string> Loaded(std::string_view bytes, bool* ok) {
  Keyspace keyspace(16);
  SnapshotExtras extras;
  *ok = LoadFromBytes(bytes, keyspace, {.checksum = false, .extras = &extras}).has_value();
  return *ok ? Contents(keyspace) : std::map<std::string, std::string>{};
}

TEST(Snapshot, CutAtEveryLengthIsAnError) {
  Keyspace keyspace(2);
  Fill(keyspace, false);
  const std::string bytes = SaveToBytes(keyspace);
  for (size_t size = 0; size < bytes.size(); ++size) {
    bool ok;
    Loaded(std::string_view(bytes).substr(0, size), &ok);
    ASSERT_FALSE(ok) << size;
  }
}

TEST(Snapshot, TheChecksumFindsEveryFlippedBit) {
  Keyspace keyspace(2);
  Fill(keyspace, false);
  const std::string bytes = SaveToBytes(keyspace);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    Keyspace loaded(2);
    const bool ok = LoadFromBytes(damaged, loaded).has_value();
    // A version below 5 has no checksum, but is as good a file; nothing else gets through.
    ASSERT_TRUE(!ok || Contents(loaded) == Contents(keyspace)) << bit;
  }
}

TEST(Snapshot, WithoutAChecksumAFlippedBitIsAnErrorOrOtherData) {
  Keyspace keyspace(2);
  Fill(keyspace, false);
  const std::string bytes = SaveToBytes(keyspace, {.checksum = false});
  size_t refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    bool ok;
    Loaded(damaged, &ok);
    refused += ok ? 0 : 1;
  }
  EXPECT_GT(refused, bytes.size());
}

TEST(Snapshot, AFailedSinkIsReported) {
  class Full final : public ByteSink {
    Status WriteOut(std::string_view) override { return Fail(ErrorCode::kIo, "disk full"); }
  };
  Keyspace keyspace(2);
  Fill(keyspace);
  Full sink;
  EXPECT_EQ(WriteSnapshot(keyspace, {}, sink).error().message, "disk full");
}

}  // namespace
}  // namespace backplane
