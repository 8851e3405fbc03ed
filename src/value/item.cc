// SPDX-License-Identifier: BSD-3-Clause
// Items as text; contract in item.h.
#include "value/item.h"

#include "base/numbers.h"

namespace backplane {

std::string_view Item::NumberText(ItemText& scratch) const {
  return {scratch.bytes, Int64ToText(number_, scratch.bytes)};
}

size_t Item::TextSize() const { return is_number() ? Int64TextSize(number_) : size_; }

std::string Item::ToString() const {
  ItemText scratch;
  return std::string(Text(scratch));
}

bool Item::Equals(std::string_view text) const {
  if (!is_number()) return bytes() == text;
  ItemText scratch;
  return NumberText(scratch) == text;
}

ItemMatcher::ItemMatcher(std::string_view text) : text_(text) {
  const auto number = ParseInt64(text);
  is_number_ = number.has_value();
  number_ = number.value_or(0);
}

}  // namespace backplane
