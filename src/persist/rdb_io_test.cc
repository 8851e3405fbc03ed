// SPDX-License-Identifier: BSD-3-Clause
// RdbWriter and RdbReader against each other and against bytes written by hand; sources and sinks
// over memory and files.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/crc64.h"
#include "base/numbers.h"
#include "base/random.h"
#include "persist/byte_sink.h"
#include "persist/byte_source.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"

namespace backplane {
namespace {

using std::string_literals::operator""s;

template <class F>
std::string Written(F&& f, bool compress = true) {
  std::string bytes;
  StringSink sink(&bytes);
  RdbWriter writer(sink, 11, compress);
  f(writer);
  EXPECT_TRUE(sink.Flush().has_value());
  return bytes;
}

std::string WrittenString(std::string_view text, bool compress = true) {
  return Written([&](RdbWriter& writer) { writer.WriteString(text); }, compress);
}

Result<std::string> StringOf(std::string_view bytes) {
  MemorySource source(bytes);
  RdbReader reader(source);
  return reader.ReadString();
}

Result<uint64_t> LengthOf(std::string_view bytes) {
  MemorySource source(bytes);
  RdbReader reader(source);
  return reader.ReadLength();
}

class TempFile {
 public:
  TempFile() : fd_(mkstemp(path_)) { EXPECT_GE(fd_, 0); }
  ~TempFile() {
    close(fd_);
    unlink(path_);
  }
  int fd() const { return fd_; }

 private:
  char path_[32] = "/tmp/backplane-persist-XXXXXX";
  int fd_;
};

TEST(RdbIo, LengthsHaveTheirDocumentedForms) {
  const auto length = [](uint64_t n) {
    return Written([&](RdbWriter& writer) { writer.WriteLength(n); });
  };
  EXPECT_EQ(length(0), "\0"s);
  EXPECT_EQ(length(63), "\x3f");
  EXPECT_EQ(length(64), "\x40\x40");
  EXPECT_EQ(length(16383), "\x7f\xff");
  EXPECT_EQ(length(16384), "\x80\x00\x00\x40\x00"s);
  EXPECT_EQ(length(0xffffffff), "\x80\xff\xff\xff\xff");
  EXPECT_EQ(length(0x100000000), "\x81\x00\x00\x00\x01\x00\x00\x00\x00"s);
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t delta : {-1, 0, 1}) {
      const uint64_t n = (uint64_t{1} << bit) + static_cast<uint64_t>(delta);
      EXPECT_EQ(LengthOf(length(n)).value(), n);
    }
  }
  EXPECT_FALSE(LengthOf("\x82\x00\x00\x00\x00"s).has_value());
  EXPECT_FALSE(LengthOf("\xc0\x05").has_value());
  EXPECT_FALSE(LengthOf("").has_value());
  EXPECT_FALSE(LengthOf("\x80\x00\x00"s).has_value());
}

TEST(RdbIo, StringsTakeTheSmallestForm) {
  EXPECT_EQ(WrittenString(""), "\0"s);
  EXPECT_EQ(WrittenString("abc"),
            "\x03"
            "abc");
  EXPECT_EQ(WrittenString("-128"), "\xc0\x80");
  EXPECT_EQ(WrittenString("127"), "\xc0\x7f");
  EXPECT_EQ(WrittenString("128"), "\xc1\x80\x00"s);
  EXPECT_EQ(WrittenString("-32769"), "\xc2\xff\x7f\xff\xff");
  EXPECT_EQ(WrittenString("2147483647"), "\xc2\xff\xff\xff\x7f");
  EXPECT_EQ(WrittenString("2147483648"),
            "\x0a"
            "2147483648");
  // What is no canonical number stays as it is.
  for (const char* text : {"007", "-0", "+1", "1 ", ""}) {
    EXPECT_EQ(WrittenString(text)[0], static_cast<char>(std::string(text).size()));
  }
  EXPECT_EQ(WrittenString(std::string(100, 'a'))[0], '\xc3');
  EXPECT_EQ(WrittenString(std::string(100, 'a'), false).size(), 102u);
  EXPECT_EQ(WrittenString(std::string(20, 'a')).size(), 21u);
}

TEST(RdbIo, StringsComeBack) {
  Random random(20240607);
  for (int turn = 0; turn < 2000; ++turn) {
    std::string text;
    switch (random.Below(4)) {
      case 0:
        text = std::to_string(static_cast<int64_t>(random.Next()) >> random.Below(64));
        break;
      case 1:
        text.assign(random.Below(70000), 'z');
        break;
      case 2:
        for (uint64_t i = random.Below(300); i > 0; --i) {
          text.push_back(static_cast<char>(random.Below(256)));
        }
        break;
      default:
        for (uint64_t i = random.Below(3000); i > 0; --i) {
          text.push_back(static_cast<char>('a' + random.Below(3)));
        }
    }
    EXPECT_EQ(StringOf(WrittenString(text, turn % 2 == 0)).value(), text);
  }
}

TEST(RdbIo, ReadsAStringThatRedisCompressed) {
  // DUMP of fifty 'a' and fifty 'b', by redis-server 7.0.
  EXPECT_EQ(
      StringOf("\xc3\x0e\x40\x64\x01\x61\x61\xe0\x27\x00\x00\x62\xe0\x26\x00\x01\x62\x62"s).value(),
      std::string(50, 'a') + std::string(50, 'b'));
}

TEST(RdbIo, ImpossibleSizesAreRefusedBeforeMemoryIsTaken) {
  for (const std::string& bytes : {
           "\x81\xff\xff\xff\xff\xff\xff\xff\xff"s,  // a huge string
           "\x80\x7f\xff\xff\xff"
           "abc"s,  // 2 GB
           "\xc3\x04\x81\x00\x00\x01\x00\x00\x00\x00\x00"
           "abcd"s,  // unpacks to 1 TB
           "\xc3\x04\x80\x7f\xff\xff\xff"
           "abcd"s,                                          // to 2 GB
           "\xc3\x81\xff\xff\xff\xff\xff\xff\xff\xff\x05"s,  // packed: 16 EB
           "\xc3\x04\x00"
           "abcd"s,  // to nothing
           "\xc3\x04\x10"
           "\xff\xff\xff\xff"s,  // no LZF
           "\xc4"s,
       }) {
    const auto text = StringOf(bytes);
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(text.error().message.find(" at offset "), std::string::npos) << text.error().message;
  }
}

TEST(RdbIo, DoublesComeBack) {
  for (const double value : {0.0, -0.0, 1.5, -1e300, std::numeric_limits<double>::infinity()}) {
    const std::string bytes = Written([&](RdbWriter& writer) { writer.WriteBinaryDouble(value); });
    MemorySource source(bytes);
    RdbReader reader(source);
    const double read = reader.ReadBinaryDouble().value();
    EXPECT_EQ(read, value);
    EXPECT_EQ(std::signbit(read), std::signbit(value));
  }
  const auto text = [](std::string_view bytes) {
    MemorySource source(bytes);
    RdbReader reader(source);
    return reader.ReadTextDouble();
  };
  EXPECT_EQ(text("\x04"
                 "3.25")
                .value(),
            3.25);
  EXPECT_EQ(text("\xfe").value(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(text("\xff").value(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(text("\xfd").value()));
  EXPECT_FALSE(text("\x03"
                    "abc")
                   .has_value());
  EXPECT_FALSE(text("\x05"
                    "1")
                   .has_value());
}

TEST(RdbIo, CaptureKeepsWhatWasReadAsItStood) {
  const std::string bytes = WrittenString(std::string(100, 'a')) + WrittenString("12") + "\x05";
  const std::string all = "x" + bytes + "rest";
  MemorySource whole(all);
  RdbReader reader(whole);
  std::string captured;
  ASSERT_TRUE(reader.ReadByte().has_value());
  reader.StartCapture(&captured);
  EXPECT_EQ(reader.ReadString().value(), std::string(100, 'a'));
  EXPECT_TRUE(reader.SkipString().has_value());
  EXPECT_EQ(reader.ReadLength().value(), 5u);
  reader.StopCapture();
  EXPECT_TRUE(reader.ReadByte().has_value());
  EXPECT_EQ(captured, bytes);
  EXPECT_EQ(reader.offset(), bytes.size() + 2);
}

TEST(RdbIo, FilesReadAndWriteAcrossBufferEnds) {
  TempFile file;
  Random random(99);
  std::vector<std::string> strings;
  FileSink sink(file.fd());
  RdbWriter writer(sink, 11, false);
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const uint64_t size = random.Below(100) == 0 ? random.Below(1'000'000) : random.Below(300);
    strings.emplace_back(size, static_cast<char>('A' + i % 26));
    writer.WriteString(strings.back());
    all += WrittenString(strings.back(), false);
  }
  const uint64_t checksum = sink.Checksum();
  EXPECT_EQ(sink.size(), all.size());
  ASSERT_TRUE(sink.Flush().has_value());
  EXPECT_EQ(checksum, Crc64(0, all));

  lseek(file.fd(), 0, SEEK_SET);
  FileSource source(file.fd());
  EXPECT_EQ(source.remaining(), all.size());
  RdbReader reader(source);
  for (const std::string& text : strings) ASSERT_EQ(reader.ReadStringView().value(), text);
  EXPECT_EQ(source.Checksum(), checksum);
  EXPECT_EQ(source.remaining(), 0u);
  EXPECT_EQ(source.offset(), all.size());
  EXPECT_FALSE(reader.ReadByte().has_value());
}

TEST(RdbIo, AFileThatShrinksWhileItIsReadIsAnError) {
  TempFile file;
  const std::string data(600'000, 'x');
  ASSERT_EQ(write(file.fd(), data.data(), data.size()), static_cast<ssize_t>(data.size()));
  lseek(file.fd(), 0, SEEK_SET);
  FileSource source(file.fd());
  std::string_view bytes;
  ASSERT_TRUE(source.Take(10, &bytes));
  ASSERT_EQ(ftruncate(file.fd(), 300'000), 0);
  EXPECT_FALSE(source.Take(500'000, &bytes));
}

TEST(RdbIo, ADirectoryIsNoInput) {
  const int fd = open("/tmp", O_RDONLY);
  FileSource source(fd);
  RdbReader reader(source);
  const auto byte = reader.ReadByte();
  ASSERT_FALSE(byte.has_value());
  EXPECT_EQ(byte.error().code, ErrorCode::kIo);
  close(fd);
}

TEST(RdbIo, WriteErrorsLatch) {
  const int fd = open("/dev/full", O_WRONLY);
  ASSERT_GE(fd, 0);
  FileSink sink(fd);
  sink.Append(std::string(1'000'000, 'x'));
  EXPECT_TRUE(sink.failed());
  sink.Append("more");
  const auto status = sink.Flush();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  close(fd);
}

}  // namespace
}  // namespace backplane
