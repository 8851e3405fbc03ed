// SPDX-License-Identifier: BSD-3-Clause
// OutputBuffer against a list of strings with holes, through random appends, fills and partial
// sends; and the memory it keeps.
#include "resp/output_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"

namespace backplane {
namespace {

// Takes up to `max` bytes out through `iovecs` iovecs, as a writev that the kernel cuts short.
std::string Drain(OutputBuffer& buffer, size_t max = SIZE_MAX, int iovecs = 16) {
  std::vector<iovec> vec(static_cast<size_t>(iovecs));
  std::string taken;
  for (;;) {
    const int count = buffer.Gather(vec.data(), iovecs);
    const size_t before = taken.size();
    for (int i = 0; i < count; ++i) {
      const iovec& v = vec[static_cast<size_t>(i)];
      EXPECT_GT(v.iov_len, 0u);
      taken.append(static_cast<const char*>(v.iov_base), std::min(v.iov_len, max - taken.size()));
    }
    if (taken.size() == before) return taken;
    buffer.Consume(taken.size() - before);
  }
}

TEST(OutputBufferTest, StartsEmptyAndWithoutMemory) {
  OutputBuffer buffer;
  buffer.Append("");
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.memory(), 0u);
  EXPECT_EQ(Drain(buffer), "");
}

TEST(OutputBufferTest, ReserveAndCommitWriteInPlace) {
  OutputBuffer buffer;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    char* place = buffer.Reserve(OutputBuffer::kReserveMax);
    std::fill_n(place, OutputBuffer::kReserveMax, static_cast<char>('a' + i % 26));
    buffer.Commit(static_cast<size_t>(i));
    expected.append(static_cast<size_t>(i), static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(buffer.size(), expected.size());
  EXPECT_EQ(Drain(buffer), expected);
}

TEST(OutputBufferTest, HolesHoldBackWhatFollows) {
  OutputBuffer buffer;
  buffer.Append("before ");
  OutputBuffer::Hole outer = buffer.OpenHole();
  buffer.Append("[");
  OutputBuffer::Hole inner = buffer.OpenHole();
  buffer.Append("]");
  EXPECT_EQ(Drain(buffer), "before ");
  EXPECT_EQ(buffer.size(), 2u);
  buffer.FillHole(inner, "inner");
  EXPECT_EQ(Drain(buffer), "");
  buffer.FillHole(outer, "");
  EXPECT_EQ(Drain(buffer), "[inner]");
  EXPECT_TRUE(buffer.empty());
}

TEST(OutputBufferTest, AHoleAtTheFrontAndAtTheEnd) {
  OutputBuffer buffer;
  OutputBuffer::Hole hole = buffer.OpenHole();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(Drain(buffer), "");
  const std::string most(OutputBuffer::kHoleMax, 'h');
  buffer.FillHole(OutputBuffer::Hole(hole.handle()), most);
  EXPECT_EQ(Drain(buffer), most);
}

TEST(OutputBufferTest, AHoleAllocatesNothing) {
  OutputBuffer buffer;
  buffer.Append("x");
  const size_t memory = buffer.memory();
  for (int i = 0; i < 20; ++i) buffer.FillHole(buffer.OpenHole(), "12345");
  EXPECT_EQ(buffer.memory(), memory);
  EXPECT_EQ(buffer.size(), 101u);
}

TEST(OutputBufferTest, KeepsOneSmallBlockWhenDrained) {
  OutputBuffer buffer;
  buffer.Append("hello");
  const size_t memory = buffer.memory();
  const char* const place = buffer.Reserve(1) - 5;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Drain(buffer), i == 0 ? "hello" : "again");
    EXPECT_EQ(buffer.memory(), memory);
    EXPECT_EQ(buffer.Reserve(1), place);
    EXPECT_EQ(buffer.chunk_count(), 0u);
    buffer.Append("again");
  }
  buffer.Clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.memory(), 0u);
  buffer.Append(std::string(1'000'000, 'x'));
  EXPECT_EQ(Drain(buffer).size(), 1'000'000u);
  EXPECT_LE(buffer.memory(), 16u * 1024);
}

TEST(OutputBufferTest, SpliceMovesEverything) {
  for (size_t left : {0u, 3u, 30'000u}) {
    for (size_t right : {0u, 3u, 1024u, 1025u, 100'000u}) {
      OutputBuffer a;
      OutputBuffer b;
      a.Append(std::string(left, 'a'));
      b.Append(std::string(right / 2, 'b'));
      b.FillHole(b.OpenHole(), "hole");
      b.Append(std::string(right - right / 2, 'c'));
      a.Splice(b);
      EXPECT_TRUE(b.empty());
      EXPECT_EQ(Drain(b), "");
      b.Append("usable");
      a.Append("end");
      EXPECT_EQ(Drain(a), std::string(left, 'a') + std::string(right / 2, 'b') + "hole" +
                              std::string(right - right / 2, 'c') + "end");
      EXPECT_EQ(Drain(b), "usable");
    }
  }
}

// The same stream as pieces; a piece without text is an open hole.
struct Model {
  struct Piece {
    bool open = false;
    std::string text;
  };
  std::vector<Piece> pieces;

  std::string Sendable() const {
    std::string text;
    for (const Piece& piece : pieces) {
      if (piece.open) break;
      text += piece.text;
    }
    return text;
  }
  size_t size() const {
    size_t total = 0;
    for (const Piece& piece : pieces) total += piece.text.size();
    return total;
  }
};

TEST(OutputBufferTest, AgreesWithAModelOverRandomOperations) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  for (int round = 0; round < 50; ++round) {
    OutputBuffer buffer;
    Model model;
    std::string sent;  // bytes that both have given away
    std::vector<std::pair<OutputBuffer::Hole, size_t>> holes;
    for (int step = 0; step < 120; ++step) {
      switch (random.Below(8)) {
        default: {
          const size_t size = random.Below(random.Below(10) == 0 ? 70'000 : 400);
          const std::string text(size, static_cast<char>('a' + random.Below(26)));
          buffer.Append(text);
          model.pieces.push_back({false, text});
          break;
        }
        case 0:
          holes.emplace_back(buffer.OpenHole(), model.pieces.size());
          model.pieces.push_back({true, ""});
          break;
        case 1:
        case 2:
          if (!holes.empty()) {
            const size_t pick = random.Below(holes.size());
            const std::string text(random.Below(OutputBuffer::kHoleMax + 1), '#');
            buffer.FillHole(holes[pick].first, text);
            model.pieces[holes[pick].second] = {false, text};
            holes.erase(holes.begin() + static_cast<ptrdiff_t>(pick));
          }
          break;
        case 3: {
          const int iovecs = static_cast<int>(1 + random.Below(4));
          sent += Drain(buffer, random.Below(100'000), iovecs);
          ASSERT_EQ(sent, model.Sendable().substr(0, sent.size()));
          break;
        }
      }
      ASSERT_EQ(buffer.size(), model.size() - sent.size());
    }
    for (const auto& [hole, piece] : holes) {
      buffer.FillHole(hole, "!");
      model.pieces[piece] = {false, "!"};
    }
    sent += Drain(buffer);
    ASSERT_EQ(sent, model.Sendable());
    ASSERT_TRUE(buffer.empty());
    ASSERT_LE(buffer.memory(), 16u * 1024);
  }
}

}  // namespace
}  // namespace backplane
