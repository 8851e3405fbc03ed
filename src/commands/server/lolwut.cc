// SPDX-License-Identifier: BSD-3-Clause
// LOLWUT: a picture, new each time: a rack of cards in their backplane.
#include <algorithm>
#include <string>

#include "base/random.h"
#include "base/version.h"
#include "command/context.h"
#include "commands/server/server_families.h"
#include "keyspace/keyspace.h"

namespace backplane {
namespace {

constexpr int64_t kCardsMax = 32;
constexpr int64_t kHeightMax = 32;

// Each card is a column of parts between two rails; now and then a slot is empty.
std::string Rack(Random& random, int64_t cards, int64_t height) {
  constexpr std::string_view kParts[] = {"[##]", "[==]", "[oo]", "[::]", "[--]", "[  ]", "[<>]"};
  constexpr uint64_t kOneInEmpty = 7;
  constexpr size_t kWidth = 5;
  std::string rail;
  std::string rows;
  std::vector<bool> empty;
  for (int64_t card = 0; card < cards; ++card) {
    empty.push_back(random.Below(kOneInEmpty) == 0);
    rail += "=====";
  }
  for (int64_t row = 0; row < height; ++row) {
    rows += '|';
    for (int64_t card = 0; card < cards; ++card) {
      std::string cell = empty[static_cast<size_t>(card)]
                             ? std::string()
                             : std::string(kParts[random.Below(std::size(kParts))]);
      cell.resize(kWidth, ' ');
      rows += cell;
    }
    rows += "|\n";
  }
  return "+" + rail + "+\n" + rows + "+" + rail + "+\n";
}

void LolWut(CommandContext& ctx) {
  int64_t cards = 12;
  int64_t height = 6;
  size_t next = 1;
  if (ctx.argc() >= 3 && ctx.ArgIs(1, "version")) {
    // There is one picture for all versions.
    if (!ctx.IntegerArg(2)) return;
    next = 3;
  }
  int64_t* const sizes[] = {&cards, &height};
  const int64_t limits[] = {kCardsMax, kHeightMax};
  for (size_t i = 0; i < 2 && next < ctx.argc() && !ctx.ArgIs(next, "version"); ++i, ++next) {
    const auto size = ctx.IntegerArg(next);
    if (!size) return;
    *sizes[i] = std::clamp<int64_t>(*size, 1, limits[i]);
  }
  ctx.reply().Verbatim("txt", Rack(ctx.keyspace().random(), cards, height) + "\nBackplane ver. " +
                                  std::string(kBackplaneVersion) + "\n");
}

constexpr CommandSpec kCommands[] = {
    {.name = "lolwut",
     .handler = LolWut,
     .arity = -1,
     .flags = kCmdReadonly | kCmdFast,
     .summary = "Shows a picture, and the version.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "[VERSION version:integer]"},
};

}  // namespace

void RegisterLolWutCommand(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
