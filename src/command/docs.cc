// SPDX-License-Identifier: BSD-3-Clause
// Documentation of commands, and the parser of the lines of syntax (grammar: docs.h).
#include "command/docs.h"

#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "command/registry.h"

namespace backplane {
namespace {

constexpr std::string_view kTypeNames[] = {"string",    "integer",    "double", "key",  "pattern",
                                           "unix-time", "pure-token", "oneof",  "block"};

// Groups within groups; a text that needs more is a mistake.
constexpr int kDepthMax = 8;

std::optional<ArgumentType> TypeByName(std::string_view name) {
  for (size_t i = 0; i < std::size(kTypeNames); ++i) {
    const auto type = static_cast<ArgumentType>(i);
    if (kTypeNames[i] == name && type < ArgumentType::kPureToken) return type;
  }
  return std::nullopt;
}

bool IsVersion(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  for (char c : text) {
    if (!(c >= '0' && c <= '9') && c != '.') return false;
  }
  return true;
}

bool IsToken(std::string_view word) {
  for (char c : word) {
    if (c >= 'a' && c <= 'z') return false;
  }
  return !word.empty();
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<ArgumentDoc>> Parse() {
    std::vector<ArgumentDoc> items;
    while (!AtEnd()) {
      auto item = Item(0);
      if (!item) return std::unexpected(item.error());
      items.push_back(std::move(*item));
    }
    return items;
  }

 private:
  std::unexpected<Error> Bad(std::string_view why) const {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(why) + " at '" + std::string(text_.substr(at_)) + "'");
  }

  bool AtEnd() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ == text_.size();
  }
  // The next character that is no blank is c: it is taken.
  bool Take(char c) { return !AtEnd() && TakeHere(c); }
  bool TakeHere(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeDots() {
    if (AtEnd() || text_.substr(at_, 3) != "...") return false;
    at_ += 3;
    return true;
  }
  // Up to a character that means something; '=' between two words too, but "=" can be a token.
  std::string_view Word() {
    if (AtEnd()) return {};
    const size_t begin = at_;
    if (text_[at_] == '=') return text_.substr(at_++, 1);
    while (at_ < text_.size() && !std::string_view(" []()|:'#@!=").contains(text_[at_]) &&
           text_.substr(at_, 3) != "...") {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  // item := '[' one ']' ['...'] | one
  Result<ArgumentDoc> Item(int depth) {
    if (!Take('[')) return One(depth);
    auto one = One(depth);
    if (!one) return one;
    if (!Take(']')) return Bad("']' is missing");
    one->optional = true;
    if (TakeDots()) {
      if (one->token.empty()) return Bad("what is repeated with its token has none");
      one->multiple = one->multiple_token = true;
    }
    return one;
  }

  // one := [TOKEN] argument ['...'] | [name '='] TOKEN attribute*
  Result<ArgumentDoc> One(int depth) {
    std::string_view word = Word();
    if (word.empty()) return Bad("a name or a token is missing");
    ArgumentDoc out;
    if (!IsToken(word) && TakeHere('=')) {
      out.name = word;
      word = Word();
      if (!IsToken(word)) return Bad("'=' without a token behind it");
      return PureToken(std::move(out), word);
    }
    if (!IsToken(word)) return Argument(std::move(out), word, depth);
    const size_t behind = at_;
    const std::string_view name = at_ < text_.size() && text_[at_] == ' ' ? Word() : "";
    // A word behind it that is no token, and no name of one, is what it announces.
    if (name.empty() || IsToken(name) || TakeHere('=')) {
      at_ = behind;
      return PureToken(std::move(out), word);
    }
    out.token = word;
    return Argument(std::move(out), name, depth);
  }

  Result<ArgumentDoc> PureToken(ArgumentDoc out, std::string_view token) {
    out.type = ArgumentType::kPureToken;
    if (token != "\"\"") out.token = token;
    if (out.name.empty()) out.name = ToLower(token);
    if (auto status = Attributes(&out); !status) return std::unexpected(status.error());
    if (out.type != ArgumentType::kPureToken) return Bad("a token with a type");
    if (out.display_text.empty()) out.display_text = out.name;
    return out;
  }

  Result<ArgumentDoc> Argument(ArgumentDoc out, std::string_view name, int depth) {
    out.name = name;
    out.type = TypeByName(name).value_or(ArgumentType::kString);
    if (auto status = Attributes(&out); !status) return std::unexpected(status.error());
    if (Take('(')) {
      if (!out.display_text.empty()) return Bad("a group is not displayed");
      if (auto status = Parts(&out, depth + 1); !status) return std::unexpected(status.error());
    } else {
      if (out.display_text.empty()) out.display_text = out.name;
      if (out.type == ArgumentType::kKey && out.key_spec_index < 0) {
        out.key_spec_index = keys_++;
      }
    }
    if (TakeDots()) out.multiple = true;
    return out;
  }

  // What stands between '(' and ')'.
  Status Parts(ArgumentDoc* out, int depth) {
    if (depth > kDepthMax) return Bad("groups are nested too deeply");
    bool choice = false;
    while (!Take(')')) {
      if (!out->parts.empty()) {
        const bool bar = Take('|');
        if (out->parts.size() > 1 && bar != choice) return Bad("'|' stands between some only");
        choice = bar;
      }
      auto item = Item(depth);
      if (!item) return std::unexpected(item.error());
      out->parts.push_back(std::move(*item));
    }
    if (out->parts.size() < 2) return Bad("a group of less than two");
    out->type = choice ? ArgumentType::kOneOf : ArgumentType::kBlock;
    return {};
  }

  Status Attributes(ArgumentDoc* out) {
    while (true) {
      if (TakeHere(':')) {
        const auto type = TypeByName(Word());
        if (!type) return Bad("a type that does not exist");
        out->type = *type;
      } else if (TakeHere('\'')) {
        const size_t end = text_.find('\'', at_);
        if (end == std::string_view::npos) return Bad("the display text has no end");
        out->display_text = text_.substr(at_, end - at_);
        at_ = end + 1;
      } else if (TakeHere('#')) {
        const std::string_view index = Word();
        if (index.size() != 1 || index[0] < '0' || index[0] > '9') return Bad("no number");
        out->key_spec_index = index[0] - '0';
      } else if (TakeHere('@')) {
        out->since = Word();
        if (!IsVersion(out->since)) return Bad("no version");
      } else if (TakeHere('!')) {
        out->deprecated_since = Word();
        if (!IsVersion(out->deprecated_since)) return Bad("no version");
      } else {
        return {};
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  int keys_ = 0;  // key arguments that were numbered
};

// "6.2.0: what", in two.
Result<HistoryEntry> SplitVersion(std::string_view text) {
  const size_t colon = text.find(": ");
  if (colon == std::string_view::npos || !IsVersion(text.substr(0, colon)) ||
      colon + 2 == text.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                "not a version and what it changed: '" + std::string(text) + "'");
  }
  return HistoryEntry{std::string(text.substr(0, colon)), std::string(text.substr(colon + 2))};
}

}  // namespace

std::string_view ArgumentTypeName(ArgumentType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

Result<std::vector<ArgumentDoc>> ParseArguments(std::string_view text) {
  return Parser(text).Parse();
}

Result<std::vector<HistoryEntry>> ParseHistory(std::string_view text) {
  std::vector<HistoryEntry> entries;
  while (!text.empty()) {
    const size_t end = text.find("; ");
    auto entry = SplitVersion(text.substr(0, end));
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return entries;
}

CommandDocs DocsOf(const Command& command) {
  if (command.docs != nullptr) return *command.docs;
  CommandDocs docs;
  if (command.row == nullptr) {
    docs.group = "module";
    return docs;
  }
  const CommandSpec& row = *command.row;
  docs.summary = row.summary;
  docs.since = row.since;
  docs.group = row.group;
  docs.complexity = row.complexity;
  docs.system = row.system;
  if (!row.deprecated.empty()) {
    auto entry = SplitVersion(row.deprecated);
    BP_ASSERT(entry.has_value());
    docs.deprecated_since = std::move(entry->since);
    docs.replaced_by = std::move(entry->change);
  }
  auto history = ParseHistory(row.history);
  BP_ASSERT(history.has_value());
  docs.history = std::move(*history);
  auto arguments = ParseArguments(row.arguments);
  BP_ASSERT(arguments.has_value());
  docs.arguments = std::move(*arguments);
  return docs;
}

}  // namespace backplane
