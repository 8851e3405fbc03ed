// SPDX-License-Identifier: BSD-3-Clause
// HyperLogLog: registers in their two forms, and the estimate.
#include "value/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace backplane::hyperloglog {
namespace {

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kEncodingAt = 4;
constexpr size_t kCountAt = 8;
constexpr char kDense = 0;
constexpr char kSparse = 1;
constexpr unsigned kIndexBits = 14;
constexpr unsigned kRankMax = 64 - kIndexBits + 1;
constexpr unsigned kSparseRankMax = 32;
constexpr unsigned kValueRunMax = 4;
constexpr unsigned kShortZerosMax = 64;

uint64_t Murmur64(std::string_view bytes) {
  constexpr uint64_t kMul = 0xc6a4a7935bd1e995;
  constexpr uint64_t kSeed = 0xadc83b19;
  uint64_t hash = kSeed ^ bytes.size() * kMul;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    word *= kMul;
    word ^= word >> 47;
    word *= kMul;
    hash ^= word;
    hash *= kMul;
  }
  if (at < bytes.size()) {
    const size_t left = bytes.size() - at;
    uint64_t rest = 0;
    if (bytes.size() >= sizeof(rest)) {
      // A load of a fixed size, of which what was already taken is shifted out, is no call.
      std::memcpy(&rest, bytes.data() + bytes.size() - sizeof(rest), sizeof(rest));
      rest >>= 8 * (sizeof(rest) - left);
    } else {
      std::memcpy(&rest, bytes.data(), left);
    }
    hash ^= rest;
    hash *= kMul;
  }
  hash ^= hash >> 47;
  hash *= kMul;
  return hash ^ hash >> 47;
}

void SetDenseRegister(char* registers, uint32_t index, uint8_t value) {
  const size_t bit = size_t{index} * 6;
  const unsigned shift = bit % 8;
  auto set = [&](size_t at, unsigned mask, unsigned bits) {
    const auto old = static_cast<unsigned char>(registers[at]);
    registers[at] = static_cast<char>((old & ~mask) | (bits & mask));
  };
  set(bit / 8, 63u << shift & 255, static_cast<unsigned>(value) << shift);
  if (shift > 2) set(bit / 8 + 1, 63u >> (8 - shift), static_cast<unsigned>(value) >> (8 - shift));
}

// A run of the sparse form.
struct Run {
  unsigned length = 0;  // registers
  uint8_t value = 0;
  uint8_t bytes = 0;

  bool is_long_zeros() const { return bytes == 2; }
};

// The run that begins at bytes[at]; length 0 when the bytes end within it.
Run RunAt(std::string_view bytes, size_t at) {
  const auto first = static_cast<unsigned char>(bytes[at]);
  if ((first & 0x80) != 0) {
    return {(first & 3u) + 1, static_cast<uint8_t>((first >> 2 & 31) + 1), 1};
  }
  if ((first & 0x40) == 0) return {(first & 63u) + 1, 0, 1};
  if (at + 1 == bytes.size()) return {};
  const auto second = static_cast<unsigned char>(bytes[at + 1]);
  return {((first & 63u) << 8 | second) + 1, 0, 2};
}

void AppendZeros(std::string* out, unsigned length) {
  if (length == 0) return;
  const unsigned stored = length - 1;
  if (length <= kShortZerosMax) {
    *out += static_cast<char>(stored);
  } else {
    *out += static_cast<char>(0x40 | stored >> 8);
    *out += static_cast<char>(stored & 255);
  }
}

void AppendValues(std::string* out, uint8_t value, unsigned length) {
  if (length == 0) return;
  *out += static_cast<char>(0x80 | (value - 1) << 2 | (length - 1));
}

// Calls f(first register, run) for all runs; false if they do not make 16384 registers.
template <class F>
bool ForRuns(std::string_view bytes, F f) {
  size_t index = 0;
  for (size_t at = kHeaderBytes; at < bytes.size();) {
    const Run run = RunAt(bytes, at);
    if (run.length == 0 || index + run.length > kRegisters) return false;
    f(index, run);
    index += run.length;
    at += run.bytes;
  }
  return index == kRegisters;
}

}  // namespace

std::string New() {
  std::string bytes(kMagic);
  bytes.resize(kHeaderBytes);
  bytes[kEncodingAt] = kSparse;
  AppendZeros(&bytes, kRegisters);
  return bytes;
}

bool IsValid(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return false;
  if (bytes[kEncodingAt] == kSparse) return true;
  return bytes[kEncodingAt] == kDense && bytes.size() == kDenseBytes;
}

bool IsSparse(std::string_view bytes) { return bytes[kEncodingAt] == kSparse; }

Place PlaceOf(std::string_view element) {
  const uint64_t hash = Murmur64(element);
  // A bit behind the last makes an end for the zeros.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << (64 - kIndexBits);
  return {static_cast<uint32_t>(hash & (kRegisters - 1)),
          static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

uint8_t DenseRegister(std::string_view bytes, uint32_t index) {
  // Two bytes whether one would do or not: which of the two it is, no processor can predict. The
  // last register is the upper half of the last two.
  const size_t bit = size_t{index} * 6;
  const size_t at = std::min(bit / 8, bytes.size() - kHeaderBytes - 2);
  const auto* two = reinterpret_cast<const unsigned char*>(bytes.data() + kHeaderBytes + at);
  const unsigned both = two[0] | static_cast<unsigned>(two[1]) << 8;
  return static_cast<uint8_t>(both >> (bit - at * 8) & 63);
}

Added AddToDense(char* bytes, Place place) {
  if (DenseRegister({bytes, kDenseBytes}, place.index) >= place.rank) return Added::kNo;
  SetDenseRegister(bytes + kHeaderBytes, place.index, place.rank);
  return Added::kYes;
}

std::optional<uint8_t> SparseRegister(std::string_view bytes, uint32_t index) {
  size_t first = 0;
  for (size_t at = kHeaderBytes; at < bytes.size();) {
    const Run run = RunAt(bytes, at);
    if (run.length == 0) return std::nullopt;
    if (index < first + run.length) return run.value;
    first += run.length;
    at += run.bytes;
  }
  return std::nullopt;
}

namespace {

Added AddAsDense(std::string* bytes, Place place) {
  auto dense = ToDense(*bytes);
  if (!dense) return Added::kCorrupt;
  *bytes = std::move(*dense);
  return AddToDense(bytes->data(), place);
}

// Neighbours of one value become one run, as far as a run may go. Looks at a few runs from `at` on:
// those that a change may have made neighbours.
void JoinRuns(std::string* bytes, size_t at) {
  for (int looked = 0; looked < 5 && at < bytes->size(); ++looked) {
    const Run run = RunAt(*bytes, at);
    if (run.length == 0) return;
    if (run.value != 0 && at + 1 < bytes->size()) {
      const Run next = RunAt(*bytes, at + 1);
      if (next.value == run.value && run.length + next.length <= kValueRunMax) {
        std::string joined;
        AppendValues(&joined, run.value, run.length + next.length);
        bytes->replace(at, 2, joined);
        // It may join with the one behind, too.
        continue;
      }
    }
    at += run.bytes;
  }
}

}  // namespace

Added AddToSparse(std::string* bytes, Place place, size_t sparse_bytes_max) {
  if (place.rank > kSparseRankMax) return AddAsDense(bytes, place);
  size_t first = 0;
  size_t at = kHeaderBytes;
  size_t before = kHeaderBytes;  // the run before, if there is one
  Run run;
  for (;;) {
    if (at >= bytes->size()) return Added::kCorrupt;
    run = RunAt(*bytes, at);
    if (run.length == 0) return Added::kCorrupt;
    if (place.index < first + run.length) break;
    before = at;
    first += run.length;
    at += run.bytes;
  }
  if (run.value >= place.rank) return Added::kNo;
  std::string pieces;
  const auto left = static_cast<unsigned>(place.index - first);
  const unsigned right = run.length - left - 1;
  if (run.value == 0) {
    AppendZeros(&pieces, left);
  } else {
    AppendValues(&pieces, run.value, left);
  }
  AppendValues(&pieces, place.rank, 1);
  if (run.value == 0) {
    AppendZeros(&pieces, right);
  } else {
    AppendValues(&pieces, run.value, right);
  }
  if (pieces.size() > run.bytes && bytes->size() + pieces.size() - run.bytes > sparse_bytes_max) {
    return AddAsDense(bytes, place);
  }
  bytes->replace(at, run.bytes, pieces);
  JoinRuns(bytes, before);
  return Added::kYes;
}

std::optional<std::string> ToDense(std::string_view bytes) {
  if (!IsSparse(bytes)) return std::string(bytes);
  std::string dense(bytes.substr(0, kHeaderBytes));
  dense.resize(kDenseBytes);
  dense[kEncodingAt] = kDense;
  char* registers = dense.data() + kHeaderBytes;
  const bool whole = ForRuns(bytes, [&](size_t first, const Run& run) {
    for (unsigned i = 0; run.value != 0 && i < run.length; ++i) {
      SetDenseRegister(registers, static_cast<uint32_t>(first + i), run.value);
    }
  });
  if (!whole) return std::nullopt;
  return dense;
}

bool MergeInto(std::string_view bytes, Registers* registers) {
  if (IsSparse(bytes)) {
    return ForRuns(bytes, [&](size_t first, const Run& run) {
      for (unsigned i = 0; run.value != 0 && i < run.length; ++i) {
        (*registers)[first + i] = std::max((*registers)[first + i], run.value);
      }
    });
  }
  // Three bytes are four registers.
  const char* at = bytes.data() + kHeaderBytes;
  for (size_t i = 0; i < kRegisters; i += 4, at += 3) {
    const auto b0 = static_cast<unsigned char>(at[0]);
    const auto b1 = static_cast<unsigned char>(at[1]);
    const auto b2 = static_cast<unsigned char>(at[2]);
    const uint32_t four = b0 | static_cast<uint32_t>(b1) << 8 | static_cast<uint32_t>(b2) << 16;
    for (size_t j = 0; j < 4; ++j) {
      const auto value = static_cast<uint8_t>(four >> 6 * j & 63);
      (*registers)[i + j] = std::max((*registers)[i + j], value);
    }
  }
  return true;
}

namespace {

// The two series of Otmar Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog
// sketches", 2017), each summed until a term adds nothing.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double weight = 1;
  double sum = x;
  for (;;) {
    x *= x;
    const double next = sum + x * weight;
    if (next == sum) return sum;
    sum = next;
    weight += weight;
  }
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double weight = 1;
  double sum = 1 - x;
  for (;;) {
    x = std::sqrt(x);
    weight *= 0.5;
    const double next = sum - (1 - x) * (1 - x) * weight;
    if (next == sum) return sum / 3;
    sum = next;
  }
}

}  // namespace

uint64_t Estimate(const Registers& registers) {
  // Several counters, so that equal neighbours do not wait for each other.
  std::array<std::array<uint32_t, 64>, 4> parts = {};
  for (size_t i = 0; i < kRegisters; i += 4) {
    for (size_t j = 0; j < 4; ++j) ++parts[j][registers[i + j] & 63];
  }
  auto count = [&](size_t value) {
    return static_cast<double>(parts[0][value] + parts[1][value] + parts[2][value] +
                               parts[3][value]);
  };
  constexpr double kCount = kRegisters;
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  double z = kCount * Tau((kCount - count(kRankMax)) / kCount);
  for (size_t value = kRankMax - 1; value >= 1; --value) z = (z + count(value)) * 0.5;
  z += kCount * Sigma(count(0) / kCount);
  return static_cast<uint64_t>(std::llround(kAlpha * kCount * kCount / z));
}

std::optional<uint64_t> CachedCount(std::string_view bytes) {
  uint64_t count = 0;
  for (size_t i = 0; i < 8; ++i) {
    count |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[kCountAt + i])) << 8 * i;
  }
  if (count >> 63 != 0) return std::nullopt;
  return count;
}

void SetCachedCount(char* bytes, uint64_t count) {
  for (size_t i = 0; i < 8; ++i) bytes[kCountAt + i] = static_cast<char>(count >> 8 * i & 255);
}

void InvalidateCount(char* bytes) {
  char& top = bytes[kCountAt + 7];
  top = static_cast<char>(static_cast<unsigned char>(top) | 0x80);
}

std::optional<std::string> DescribeSparse(std::string_view bytes) {
  std::string text;
  const bool whole = ForRuns(bytes, [&](size_t, const Run& run) {
    if (!text.empty()) text += ' ';
    if (run.value == 0) {
      text += (run.is_long_zeros() ? "Z:" : "z:") + std::to_string(run.length);
    } else {
      text += "v:" + std::to_string(run.value) + "," + std::to_string(run.length);
    }
  });
  if (!whole) return std::nullopt;
  return text;
}

}  // namespace backplane::hyperloglog
