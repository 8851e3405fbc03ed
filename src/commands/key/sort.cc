// SPDX-License-Identifier: BSD-3-Clause
// SORT and SORT_RO.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/ascii.h"
#include "base/numbers.h"
#include "client/session.h"
#include "command/context.h"
#include "commands/key/key_commands.h"
#include "engine/engine.h"
#include "value/hash_value.h"
#include "value/list_value.h"
#include "value/set_value.h"
#include "value/zset_value.h"

namespace backplane {
namespace {

struct SortOptions {
  bool desc = false;
  bool alpha = false;
  bool dont_sort = false;
  std::string_view by;  // empty: the element itself
  std::vector<std::string_view> gets;
  int64_t limit_start = 0;
  int64_t limit_count = -1;
  std::optional<std::string_view> store;
};

// What BY and GET lead to is not known before the elements are.
bool MayReadEveryKey(CommandContext& ctx) {
  const User* user = ctx.session().user.get();
  return user == nullptr || user->AllowsEveryKey(ctx.engine().commands(), ctx.command(), ctx.args(),
                                                 kKeyRO | kKeyAccess);
}

std::optional<SortOptions> ParseSort(CommandContext& ctx, bool read_only) {
  SortOptions options;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    size_t more = ctx.argc() - 1 - i;
    if (ctx.ArgIs(i, "asc")) {
      options.desc = false;
    } else if (ctx.ArgIs(i, "desc")) {
      options.desc = true;
    } else if (ctx.ArgIs(i, "alpha")) {
      options.alpha = true;
    } else if (ctx.ArgIs(i, "limit") && more >= 2) {
      auto start = ctx.IntegerArg(i + 1);
      if (!start) return std::nullopt;
      auto count = ctx.IntegerArg(i + 2);
      if (!count) return std::nullopt;
      options.limit_start = *start;
      options.limit_count = *count;
      i += 2;
    } else if (!read_only && ctx.ArgIs(i, "store") && more >= 1) {
      options.store = ctx.arg(++i);
    } else if (ctx.ArgIs(i, "by") && more >= 1) {
      options.by = ctx.arg(++i);
      // A pattern without '*' names no key per element: the order is then that of the collection.
      options.dont_sort = options.by.find('*') == std::string_view::npos;
      if (!options.dont_sort && !MayReadEveryKey(ctx)) {
        ctx.Error("ERR BY option of SORT denied due to insufficient ACL permissions.");
        return std::nullopt;
      }
    } else if (ctx.ArgIs(i, "get") && more >= 1) {
      options.gets.push_back(ctx.arg(++i));
      if (!MayReadEveryKey(ctx)) {
        ctx.Error("ERR GET option of SORT denied due to insufficient ACL permissions.");
        return std::nullopt;
      }
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

std::optional<std::vector<std::string>> Elements(CommandContext& ctx, Entry* entry,
                                                 const SortOptions& options) {
  std::vector<std::string> elements;
  auto add = [&](const Item& item) {
    ItemText scratch;
    elements.emplace_back(item.Text(scratch));
  };
  if (entry == nullptr) return elements;
  switch (entry->type()) {
    case TypeId::kList: {
      auto& list = entry->As<ListValue>();
      if (options.dont_sort && options.desc && list.length() > 0) {
        list.ForRangeBackwards(list.length() - 1, list.length(), add);
      } else {
        list.ForRange(0, list.length(), add);
      }
      return elements;
    }
    case TypeId::kSet:
      entry->As<SetValue>().ForEach(add);
      return elements;
    case TypeId::kZSet: {
      auto& zset = entry->As<ZSetValue>();
      zset.ForSpan({0, zset.length()}, options.dont_sort && options.desc,
                   [&](const Item& member, double) { add(member); });
      return elements;
    }
    default:
      ctx.Error(errors::kWrongType);
      return std::nullopt;
  }
}

// The value that a BY or GET pattern names for an element: "weight_*" a string key, "obj_*->field"
// a hash field, "#" the element.
std::optional<std::string> LookUp(CommandContext& ctx, std::string_view pattern,
                                  std::string_view element) {
  if (pattern == "#") return std::string(element);
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return std::nullopt;
  std::string_view field;
  size_t arrow = pattern.find("->", star);
  if (arrow != std::string_view::npos && arrow + 2 < pattern.size()) {
    field = pattern.substr(arrow + 2);
    pattern = pattern.substr(0, arrow);
  }
  std::string key(pattern.substr(0, star));
  key += element;
  key += pattern.substr(star + 1);
  Entry* entry = ctx.db().FindForRead(key);
  if (entry == nullptr) return std::nullopt;
  if (field.empty()) {
    if (!entry->is_string()) return std::nullopt;
    char scratch[kNumberTextMax];
    return std::string(entry->string(scratch));
  }
  if (entry->type() != TypeId::kHash) return std::nullopt;
  Item value;
  if (!entry->As<HashValue>().Get(field, &value)) return std::nullopt;
  ItemText scratch;
  return std::string(value.Text(scratch));
}

// A number as SORT reads weights: by strtod, so that leading blanks and the empty text (0) are
// fine, but nothing that is beyond a double.
std::optional<double> ParseWeight(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  double weight = std::strtod(text.c_str(), &end);
  if (*end != '\0' || errno == ERANGE || std::isnan(weight)) return std::nullopt;
  return weight;
}

struct Sortable {
  std::string element;
  size_t place = 0;  // before sorting: equals keep their order
  double score = 0;
  std::optional<std::string> weight;  // of ALPHA with BY; absent sorts first
};

bool FillWeights(CommandContext& ctx, const SortOptions& options, std::vector<Sortable>& items) {
  for (Sortable& item : items) {
    std::optional<std::string> text =
        options.by.empty() ? std::optional(item.element) : LookUp(ctx, options.by, item.element);
    if (options.alpha) {
      item.weight = std::move(text);
      continue;
    }
    if (!text) continue;
    auto score = ParseWeight(*text);
    if (!score) {
      ctx.Error("ERR One or more scores can't be converted into double");
      return false;
    }
    item.score = *score;
  }
  return true;
}

int CompareText(std::string_view a, std::string_view b) {
  int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// The order of the locale (locale-collate), which texts end at a NUL byte for; what is the same to
// it, by bytes. What is stored must not depend on where the server runs.
int CollateText(const std::string& a, const std::string& b, bool stored) {
  const int order = stored ? 0 : std::strcoll(a.c_str(), b.c_str());
  return order != 0 ? order : CompareText(a, b);
}

int Compare(const Sortable& a, const Sortable& b, const SortOptions& options) {
  int order = 0;
  if (!options.alpha) {
    order = a.score < b.score ? -1 : a.score > b.score ? 1 : 0;
    if (order == 0) order = CompareText(a.element, b.element);
  } else if (options.by.empty()) {
    order = CollateText(a.element, b.element, options.store.has_value());
  } else if (a.weight && b.weight) {
    order = CollateText(*a.weight, *b.weight, options.store.has_value());
  } else {
    order = static_cast<int>(a.weight.has_value()) - static_cast<int>(b.weight.has_value());
  }
  return options.desc ? -order : order;
}

// [first, last) of the result.
std::pair<size_t, size_t> Window(const SortOptions& options, size_t size) {
  auto count = static_cast<int64_t>(size);
  int64_t start = std::clamp<int64_t>(options.limit_start, 0, count);
  int64_t end = options.limit_count < 0 || options.limit_count > count - start
                    ? count
                    : start + options.limit_count;
  return {static_cast<size_t>(start), static_cast<size_t>(end)};
}

void StoreResult(CommandContext& ctx, std::string_view target,
                 const std::vector<std::optional<std::string>>& rows) {
  Key key(target);
  if (rows.empty()) {
    if (ctx.db().Delete(key)) ctx.Modified(key.bytes, kNotifyGeneric, "del");
    return ctx.reply().Integer(0);
  }
  auto list = std::make_unique<ListValue>();
  for (const auto& row : rows) list->Push(ListEnd::kTail, row.value_or(""), ctx.limits());
  ctx.db().SetValue(key, std::move(list));
  ctx.Modified(key.bytes, kNotifyList, "sortstore", rows.size());
  ctx.reply().Integer(static_cast<int64_t>(rows.size()));
}

void SortGeneric(CommandContext& ctx, bool read_only) {
  auto options = ParseSort(ctx, read_only);
  if (!options) return;
  Entry* entry = ctx.db().FindForRead(ctx.key(1));
  // The order of a set is no order: what is stored from it, or a script sees of it, must be the
  // same on every replica.
  const bool repeatable = options->store || ctx.session().kind() == Session::Kind::kScript;
  if (entry != nullptr && entry->type() == TypeId::kSet && options->dont_sort && repeatable) {
    options->dont_sort = false;
    options->alpha = true;
    options->by = {};
  }
  auto elements = Elements(ctx, entry, *options);
  if (!elements) return;
  std::vector<Sortable> items(elements->size());
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].element = std::move((*elements)[i]);
    items[i].place = i;
  }
  if (!options->dont_sort) {
    if (!FillWeights(ctx, *options, items)) return;
    std::sort(items.begin(), items.end(), [&](const Sortable& a, const Sortable& b) {
      const int order = Compare(a, b, *options);
      return order != 0 ? order < 0 : a.place < b.place;
    });
  }
  auto [first, last] = Window(*options, items.size());
  std::vector<std::optional<std::string>> rows;
  for (size_t i = first; i < last; ++i) {
    if (options->gets.empty()) rows.emplace_back(items[i].element);
    for (std::string_view get : options->gets) rows.push_back(LookUp(ctx, get, items[i].element));
  }
  if (options->store) return StoreResult(ctx, *options->store, rows);
  ctx.reply().BeginArray(rows.size());
  for (const auto& row : rows) {
    if (row) {
      ctx.reply().Bulk(*row);
    } else {
      ctx.reply().Null();
    }
  }
}

void Sort(CommandContext& ctx) { SortGeneric(ctx, false); }
void SortRo(CommandContext& ctx) { SortGeneric(ctx, true); }

constexpr uint64_t kAcl = kAclSet | kAclSortedSet | kAclList | kAclDangerous;

// Keys that the patterns of BY and GET lead to are known to nobody before the call.
constexpr KeySpec kSortedKey = {.flags = kKeyRO | kKeyAccess, .begin = 1};
constexpr KeySpec kPatternKeys = {.flags = kKeyRO | kKeyAccess,
                                  .unknown = true,
                                  .notes = "BY and GET: elements say which keys are read"};
constexpr KeySpec kStoreKey = {
    .flags = kKeyOW | kKeyUpdate, .unknown = true, .notes = "STORE: it can stand anywhere"};
constexpr KeySpec kSortKeys[] = {kSortedKey, kPatternKeys, kStoreKey};
constexpr KeySpec kSortRoKeys[] = {kSortedKey, kPatternKeys};

constexpr CommandSpec kCommands[] = {
    {.name = "sort",
     .handler = Sort,
     .arity = -2,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .keys = {1, 1, 1},
     .acl = kAcl,
     .summary =
         "Sorts the elements of a list, a set or a sorted set, optionally storing the result.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(N+M*log(M)) in elements and results",
     .keynum = {.store_option = true},
     .key_specs = kSortKeys,
     .arguments = "key [BY by-pattern:pattern'pattern'#1] [LIMIT limit(offset:integer "
                  "count:integer)] [GET get-pattern:pattern'pattern'#1]... [order(ASC | DESC)] "
                  "[sorting=ALPHA] [STORE destination:key#2]"},
    {.name = "sort_ro",
     .handler = SortRo,
     .arity = -2,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .keys = {1, 1, 1},
     .acl = kAcl,
     .summary = "Sorts the elements of a list, a set or a sorted set.",
     .since = "7.0.0",
     .group = "generic",
     .complexity = "O(N+M*log(M)) in elements and results",
     .key_specs = kSortRoKeys,
     .arguments =
         "key [BY by-pattern:pattern'pattern'#1] [LIMIT limit(offset:integer count:integer)] [GET "
         "get-pattern:pattern'pattern'#1]... [order(ASC | DESC)] [sorting=ALPHA]"},
};

}  // namespace

void RegisterKeySort(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
