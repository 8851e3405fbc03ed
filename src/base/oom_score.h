// SPDX-License-Identifier: BSD-3-Clause
// OomScore: how likely the kernel's out-of-memory killer takes this process (/proc/self's
// oom_score_adj). Remembers what stood there before the first change. One thread at a time; a
// forked child uses its copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace backplane {

class OomScore {
 public:
  // kRelative: to what stood there when it was turned on.
  enum class Mode : uint8_t { kOff, kRelative, kAbsolute };

  OomScore() : OomScore("/proc/self/oom_score_adj") {}
  explicit OomScore(std::string path) : path_(std::move(path)) {}

  // Writes the value, clamped to what the kernel takes; kOff puts back what stood there before.
  // kIo: the system refused, nothing has changed.
  Status Apply(Mode mode, int64_t value);

 private:
  std::string path_;
  std::optional<int64_t> base_;
};

}  // namespace backplane
