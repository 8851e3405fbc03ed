// SPDX-License-Identifier: BSD-3-Clause
// Item: one element as the compact encodings hold it, either bytes or a 64-bit integer.
//
// The value types hand elements out as Items so that an integer is turned into text once, where the
// reply is written, and not on the way. An Item borrows: it is good until the value it came from is
// changed. Engine thread, like all of value/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace backplane {

// Room for the text of any int64.
struct ItemText {
  char bytes[24];
};

class Item {
 public:
  Item() : data_(""), size_(0) {}
  explicit Item(std::string_view bytes)
      : data_(bytes.data() != nullptr ? bytes.data() : ""), size_(bytes.size()) {}
  explicit Item(int64_t number) : data_(nullptr), number_(number) {}

  bool is_number() const { return data_ == nullptr; }
  // REQUIRES: is_number().
  int64_t number() const { return number_; }
  // REQUIRES: !is_number().
  std::string_view bytes() const { return {data_, size_}; }

  // The element's bytes; a number is written to `scratch`, which must outlive the result.
  std::string_view Text(ItemText& scratch) const {
    return is_number() ? NumberText(scratch) : bytes();
  }
  // Length of Text() without writing it.
  size_t TextSize() const;
  std::string ToString() const;
  // Does Text() equal `text`? For one comparison; ItemMatcher is for many.
  bool Equals(std::string_view text) const;

 private:
  std::string_view NumberText(ItemText& scratch) const;

  const char* data_;  // Null for a number.
  union {
    size_t size_;
    int64_t number_;
  };
};

// Compares many Items with one text without turning numbers into text. Borrows `text`.
class ItemMatcher {
 public:
  explicit ItemMatcher(std::string_view text);
  bool Matches(const Item& item) const {
    return item.is_number() ? is_number_ && item.number() == number_ : item.bytes() == text_;
  }

 private:
  std::string_view text_;
  bool is_number_;
  int64_t number_;
};

}  // namespace backplane
