// SPDX-License-Identifier: BSD-3-Clause
// Parsing and printing of the option kinds; the error texts are those that clients of CONFIG SET
// know.
#include "config/option_kinds.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/ascii.h"
#include "base/numbers.h"
#include "base/quoting.h"

namespace backplane {
namespace {

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

std::string OneOf(std::span<const EnumName> names) {
  std::string text = "argument(s) must be one of the following: ";
  for (const EnumName& n : names) {
    if (&n != names.data()) text += ", ";
    text += n.name;
  }
  return text;
}

Status One(const std::vector<std::string>& args) {
  if (args.size() == 1) return {};
  return Bad("wrong number of arguments");
}

Status InRange(int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return Bad("argument must be between " + Int64ToString(low) + " and " + Int64ToString(high) +
             " inclusive");
}

}  // namespace

std::vector<std::string> Option::FileValues() const {
  std::string value = Get();
  bool plain = !value.empty();
  for (char c : value)
    plain &= c > ' ' && c != '"' && c != '\'' && c != '\\' && static_cast<unsigned char>(c) < 127;
  return {plain ? value : QuoteArg(value)};
}

Status BoolOption::Set(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(One(args));
  bool yes = EqualsIgnoreCase(args[0], "yes");
  if (!yes && !EqualsIgnoreCase(args[0], "no")) return Bad("argument must be 'yes' or 'no'");
  *field_ = yes;
  return {};
}

Status IntegerOption::Set(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(One(args));
  int64_t value = 0;
  if (format_ == IntegerFormat::kMemory) {
    auto memory = ParseMemory(args[0]);
    if (memory && *memory <= static_cast<uint64_t>(INT64_MAX)) {
      value = static_cast<int64_t>(*memory);
    } else {
      return Bad("argument must be a memory value");
    }
  } else if (format_ == IntegerFormat::kOctal) {
    auto parsed = std::from_chars(args[0].data(), args[0].data() + args[0].size(), value, 8);
    if (parsed.ec != std::errc() || parsed.ptr != args[0].data() + args[0].size()) {
      return Bad("argument couldn't be parsed as an octal number");
    }
  } else {
    auto parsed = ParseInt64(args[0]);
    if (!parsed) return Bad("argument couldn't be parsed into an integer");
    value = *parsed;
  }
  BP_RETURN_IF_ERROR(InRange(value, low_, high_));
  *field_ = value;
  return {};
}

std::string IntegerOption::Get() const {
  if (format_ != IntegerFormat::kOctal) return Int64ToString(*field_);
  char text[32];
  int length = std::snprintf(text, sizeof(text), "%llo", static_cast<unsigned long long>(*field_));
  return std::string(text, static_cast<size_t>(length));
}

Status EnumOption::Set(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(One(args));
  for (const EnumName& n : names_) {
    if (!EqualsIgnoreCase(n.name, args[0])) continue;
    *field_ = n.value;
    return {};
  }
  return Bad(OneOf(names_));
}

std::string EnumOption::Get() const {
  for (const EnumName& n : names_) {
    if (n.value == *field_) return std::string(n.name);
  }
  return {};
}

Status StringOption::Set(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(One(args));
  if (check_ != nullptr) BP_RETURN_IF_ERROR(check_(args[0]));
  *field_ = args[0];
  return {};
}

Status SizeOption::Set(const std::vector<std::string>& args) {
  BP_RETURN_IF_ERROR(One(args));
  auto value = ParseMemory(args[0]);
  if (!value) return Bad("argument must be a memory value");
  *field_ = *value;
  return {};
}

Status BitsOption::Set(const std::vector<std::string>& args) {
  if (args.empty()) return Bad(OneOf(names_));
  int64_t bits = 0;
  for (const std::string& word : args) {
    const auto known = std::find_if(names_.begin(), names_.end(), [&](const EnumName& n) {
      return EqualsIgnoreCase(n.name, word);
    });
    if (known == names_.end()) return Bad(OneOf(names_));
    bits |= known->value;
  }
  if (check_ != nullptr) BP_RETURN_IF_ERROR(check_(bits));
  *field_ = bits;
  return {};
}

std::string BitsOption::Get() const {
  std::string text;
  for (const EnumName& n : names_) {
    const bool stands = *field_ == 0 ? n.value == 0 : n.value != 0 && (*field_ & n.value) != 0;
    if (!stands) continue;
    if (!text.empty()) text += ' ';
    text += n.name;
  }
  return text;
}

std::string PercentileText(double percentile) {
  char text[32];
  const int length = std::snprintf(text, sizeof(text), "%f", percentile);
  std::string_view shown(text, static_cast<size_t>(length));
  shown = shown.substr(0, shown.find_last_not_of('0') + 1);
  if (shown.ends_with('.')) shown.remove_suffix(1);
  return std::string(shown);
}

Status PercentilesOption::Set(const std::vector<std::string>& args) {
  constexpr double kAll = 100;
  std::vector<double> percentiles;
  const bool none = args.size() == 1 && args[0].empty();
  for (size_t i = 0; i < args.size() && !none; ++i) {
    const auto value = ParseDouble(args[i]);
    if (!value) return Bad("Invalid " + name() + " parameters");
    if (!(*value >= 0 && *value <= kAll)) {
      return Bad(name() + " parameters should sit between [0.0,100.0]");
    }
    percentiles.push_back(*value);
  }
  *field_ = std::move(percentiles);
  return {};
}

std::string PercentilesOption::Get() const {
  std::string text;
  for (double percentile : *field_) {
    if (!text.empty()) text += ' ';
    text += PercentileText(percentile);
  }
  return text;
}

std::vector<std::string> PercentilesOption::FileValues() const {
  return {field_->empty() ? std::string("\"\"") : Get()};
}

namespace {

std::vector<std::string> FoldersOf(const std::vector<std::string>& args) {
  return args.size() == 1 && args[0].empty() ? std::vector<std::string>{} : args;
}

}  // namespace

Status FoldersOption::CheckRuntime(const std::vector<std::string>& args) const {
  if (field_->empty()) return {};
  const std::vector<std::string> wanted = FoldersOf(args);
  const auto is_allowed = [this](const std::string& folder) {
    return std::find(field_->begin(), field_->end(), folder) != field_->end();
  };
  if (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), is_allowed)) return {};
  return Bad("at run time folders can be taken off the list, not added");
}

Status FoldersOption::Set(const std::vector<std::string>& args) {
  *field_ = FoldersOf(args);
  return {};
}

std::string FoldersOption::Get() const {
  std::string text;
  for (const std::string& word : *field_) {
    if (!text.empty()) text += ' ';
    // A name that would be read as several must not be.
    const bool plain = !word.empty() && word.find_first_of(" \t\r\n\"'\\") == std::string::npos;
    plain ? static_cast<void>(text += word) : AppendQuoted(word, &text);
  }
  return text;
}

std::vector<std::string> FoldersOption::FileValues() const {
  std::string text;
  for (const std::string& word : *field_) {
    if (!text.empty()) text += ' ';
    AppendQuoted(word, &text);
  }
  return {text.empty() ? std::string("\"\"") : text};
}

}  // namespace backplane
