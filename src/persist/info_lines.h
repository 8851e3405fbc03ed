// SPDX-License-Identifier: BSD-3-Clause
// InfoLines: lines of an INFO section, "name:value" CRLF. Any thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace backplane {

class InfoLines {
 public:
  void Number(const char* name, uint64_t value) { Text(name, std::to_string(value)); }
  void Signed(const char* name, int64_t value) { Text(name, std::to_string(value)); }
  void Text(const char* name, const std::string& value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void Percent(const char* name, uint64_t part, uint64_t whole) {
    char value[32];
    const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    std::snprintf(value, sizeof(value), "%.2f", 100 * share);
    Text(name, value);
  }
  // "ok" or "err".
  void Ok(const char* name, bool ok) { Text(name, ok ? "ok" : "err"); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace backplane
