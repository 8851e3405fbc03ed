// SPDX-License-Identifier: BSD-3-Clause
// ProcessTitle: what ps shows for this process. Linux shows the memory of the first arguments, so
// that is where the title goes; the environment behind them moves away and makes room. main() makes
// one, before it starts threads. One thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace backplane {

class ProcessTitle {
 public:
  // As main() got them; argv's texts are gone after the first Set.
  ProcessTitle(int argc, char** argv);
  ProcessTitle(const ProcessTitle&) = delete;
  ProcessTitle& operator=(const ProcessTitle&) = delete;

  // What the process was started as.
  const std::string& program() const { return program_; }
  // Cut to the room that there is.
  void Set(std::string_view title);

 private:
  std::string program_;
  char* area_ = nullptr;
  size_t size_ = 0;
};

// A template with {name} replaced by the variable of that name, and {{ by a brace; blanks at its
// ends are cut off. nullopt: a brace is not closed, a name is of none of the variables, or nothing
// is left.
using TitleVariable = std::pair<std::string_view, std::string>;
std::optional<std::string> ExpandTitle(std::string_view text,
                                       std::span<const TitleVariable> variables);

}  // namespace backplane
