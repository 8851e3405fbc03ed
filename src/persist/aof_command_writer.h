// SPDX-License-Identifier: BSD-3-Clause
// AofCommandWriter: commands (grammar: aof_format.h) straight into a ByteSink, word by word, so
// that a large one needs no memory. Used by WriteAofBase. One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/numbers.h"
#include "persist/byte_sink.h"
#include "value/item.h"
#include "value/stream_id.h"

namespace backplane {

class AofCommandWriter {
 public:
  // `sink` outlives the writer.
  explicit AofCommandWriter(ByteSink& sink) : sink_(sink) { sink.set_checksum(false); }

  // Begins a command of so many words, which must follow.
  void Begin(uint64_t words) { Head('*', words); }
  void Word(std::string_view word) {
    Head('$', word.size());
    sink_.Append(word);
    sink_.Append("\r\n");
  }
  void Word(const Item& item) {
    ItemText scratch;
    Word(item.Text(scratch));
  }
  void Word(const StreamId& id) {
    char text[StreamId::kTextMax];
    Word(std::string_view(text, id.WriteText(text)));
  }
  void Number(int64_t number) {
    char text[kNumberTextMax];
    Word(std::string_view(text, Int64ToText(number, text)));
  }
  void Words(std::span<const std::string_view> words) {
    Begin(words.size());
    for (const std::string_view word : words) Word(word);
  }
  ByteSink& sink() { return sink_; }

 private:
  void Head(char mark, uint64_t number) {
    char text[kNumberTextMax + 3];
    text[0] = mark;
    size_t size = 1 + Int64ToText(static_cast<int64_t>(number), text + 1);
    text[size++] = '\r';
    text[size++] = '\n';
    sink_.Append({text, size});
  }

  ByteSink& sink_;
};

class StreamValue;

// The commands that make the stream again. False, and nothing written: commands cannot say what it
// holds (a pending entry whose message was deleted).
bool WriteAofStream(std::string_view key, const StreamValue& stream, AofCommandWriter& out);

}  // namespace backplane
