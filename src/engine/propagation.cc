// SPDX-License-Identifier: BSD-3-Clause
// PropagationStream: units of commands to sinks.
#include "engine/propagation.h"

#include "base/assert.h"

namespace backplane {
namespace {

// What a large unit has taken is given back beyond this.
constexpr size_t kBytesKept = size_t{1} << 16;
constexpr size_t kWordsKept = size_t{1} << 12;

}  // namespace

void PropagationStream::Append(int db, std::span<const std::string_view> args, uint8_t targets) {
  if (!wanted_) return;
  BP_ASSERT(depth_ > 0);
  pending_.push_back({db, targets, args.size()});
  for (const std::string_view arg : args) {
    bytes_.append(arg);
    word_ends_.push_back(bytes_.size());
  }
}

void PropagationStream::Leave() {
  BP_ASSERT(depth_ > 0);
  --depth_;
}

void PropagationStream::SendTo(const Reader& reader) {
  constexpr std::string_view kMulti[] = {"MULTI"};
  constexpr std::string_view kExec[] = {"EXEC"};
  size_t count = 0;
  for (const Pending& command : pending_) count += (command.targets & reader.target) != 0 ? 1 : 0;
  if (count > 1) reader.sink->OnCommand(-1, kMulti);
  size_t word = 0;
  size_t begin = 0;
  const std::string_view bytes = bytes_;
  for (const Pending& command : pending_) {
    views_.clear();
    for (const size_t end = word + command.words; word < end; ++word) {
      views_.push_back(bytes.substr(begin, word_ends_[word] - begin));
      begin = word_ends_[word];
    }
    if ((command.targets & reader.target) != 0) reader.sink->OnCommand(command.db, views_);
  }
  if (count > 1) reader.sink->OnCommand(-1, kExec);
}

void PropagationStream::SendUnit() {
  depth_ = 0;
  sent_ += pending_.size();
  for (const Reader& reader : sinks_) SendTo(reader);
  pending_.clear();
  word_ends_.clear();
  bytes_.clear();
  if (bytes_.capacity() > kBytesKept) std::string().swap(bytes_);
  if (word_ends_.capacity() > kWordsKept) {
    std::vector<size_t>().swap(word_ends_);
    std::vector<Pending>().swap(pending_);
    std::vector<std::string_view>().swap(views_);
  }
}

}  // namespace backplane
