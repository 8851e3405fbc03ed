// SPDX-License-Identifier: BSD-3-Clause
// LibraryStore: libraries of functions as snapshots see them: pieces of code. script/ implements
// it; Persistence, the snapshot writer and loader use it. Engine thread, or a forked child's only
// one.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

class LibraryStore {
 public:
  virtual ~LibraryStore() = default;
  // The code of each library; views until the next change.
  virtual std::vector<std::string_view> LibraryCodes() const = 0;
  // Adds the library; `replace`: in the place of one of its name. An error says why not.
  virtual Status LoadLibrary(std::string_view code, bool replace) = 0;
  virtual void ForgetLibraries() = 0;
};

}  // namespace backplane
