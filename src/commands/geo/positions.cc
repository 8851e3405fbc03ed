// SPDX-License-Identifier: BSD-3-Clause
// GEOADD, GEOPOS, GEODIST, GEOHASH.
#include <cstdio>
#include <vector>

#include "base/numbers.h"
#include "commands/families.h"
#include "commands/geo/geo_commands.h"
#include "commands/zset/zset_commands.h"

namespace backplane {

void RegisterGeoCommands(CommandRegistry& registry) {
  RegisterGeoPositions(registry);
  RegisterGeoSearch(registry);
}

std::optional<geo::Position> PositionArg(CommandContext& ctx, size_t i) {
  const auto longitude = ctx.DoubleArg(i);
  if (!longitude) return std::nullopt;
  const auto latitude = ctx.DoubleArg(i + 1);
  if (!latitude) return std::nullopt;
  const geo::Position position = {*longitude, *latitude};
  if (geo::IsValid(position)) return position;
  char text[1024];
  std::snprintf(text, sizeof(text), "ERR invalid longitude,latitude pair %f,%f", *longitude,
                *latitude);
  ctx.Error(text);
  return std::nullopt;
}

std::optional<double> UnitArg(CommandContext& ctx, size_t i) {
  if (ctx.ArgIs(i, "m")) return 1;
  if (ctx.ArgIs(i, "km")) return 1000;
  if (ctx.ArgIs(i, "ft")) return 0.3048;
  if (ctx.ArgIs(i, "mi")) return 1609.34;
  ctx.Error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

void ReplyPosition(ReplySink& reply, geo::Position position) {
  reply.BeginArray(2);
  for (const double degrees : {position.longitude, position.latitude}) {
    if (reply.resp() != 2) {
      reply.Double(degrees);
      continue;
    }
    char text[kLongDoubleTextMax];
    reply.Bulk({text, LongDoubleToText(degrees, text)});
  }
}

void ReplyDistance(ReplySink& reply, double distance) {
  char text[512];
  const int size = std::snprintf(text, sizeof(text), "%.4f", distance);
  reply.Bulk({text, static_cast<size_t>(size)});
}

namespace {

void GeoAdd(CommandContext& ctx) {
  ZAddFlags flags;
  bool changed = false;
  size_t first = 2;
  for (; first < ctx.argc(); ++first) {
    if (ctx.ArgIs(first, "nx")) {
      flags.nx = true;
    } else if (ctx.ArgIs(first, "xx")) {
      flags.xx = true;
    } else if (ctx.ArgIs(first, "ch")) {
      changed = true;
    } else {
      break;
    }
  }
  const size_t rest = ctx.argc() - first;
  if (rest == 0 || rest % 3 != 0 || (flags.nx && flags.xx)) return ctx.Error(errors::kSyntax);
  std::vector<double> scores;
  scores.reserve(rest / 3);
  for (size_t i = first; i < ctx.argc(); i += 3) {
    const auto position = PositionArg(ctx, i);
    if (!position) return;
    scores.push_back(static_cast<double>(geo::ScoreOf(*position)));
  }
  AddMembers(ctx, {first, 3, 2}, scores.data(), flags, changed);
}

std::optional<geo::Position> MemberPosition(const ZSetValue* zset, std::string_view member) {
  double score;
  if (zset == nullptr || !zset->Score(member, &score)) return std::nullopt;
  return geo::PositionOf(static_cast<uint64_t>(score));
}

void GeoPos(CommandContext& ctx) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ctx.reply().BeginArray(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const auto position = MemberPosition(zset, ctx.arg(i));
    position ? ReplyPosition(ctx.reply(), *position) : ctx.reply().NullArray();
  }
}

void GeoDist(CommandContext& ctx) {
  if (ctx.argc() > 5) return ctx.Error(errors::kSyntax);
  double unit = 1;
  if (ctx.argc() == 5) {
    const auto named = UnitArg(ctx, 4);
    if (!named) return;
    unit = *named;
  }
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  const auto from = MemberPosition(zset, ctx.arg(2));
  const auto to = MemberPosition(zset, ctx.arg(3));
  if (!from || !to) return ctx.reply().Null();
  ReplyDistance(ctx.reply(), geo::Distance(*from, *to) / unit);
}

void GeoHash(CommandContext& ctx) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  ctx.reply().BeginArray(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const auto position = MemberPosition(zset, ctx.arg(i));
    position ? ctx.reply().Bulk(geo::TextOf(*position)) : ctx.reply().Null();
  }
}

constexpr CommandSpec kCommands[] = {
    {.name = "geoadd",
     .handler = GeoAdd,
     .arity = -5,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Puts positions into a sorted set, or moves them.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = "O(log(N)) for each position: size of the sorted set",
     .arguments = "key [condition@6.2.0(NX | XX)] [change=CH@6.2.0] data(longitude:double "
                  "latitude:double member)...",
     .history = "6.2.0: `CH`, `NX` and `XX`"},
    {.name = "geopos",
     .handler = GeoPos,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Where members are.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = "O(1) for each member",
     .arguments = "key [member...]"},
    {.name = "geodist",
     .handler = GeoDist,
     .arity = -4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "How far two members are from each other.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = "O(1)",
     .arguments = "key member1 member2 [unit(M | KM | FT | MI)]"},
    {.name = "geohash",
     .handler = GeoHash,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Positions of members as the letters of a geohash.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = "O(1) for each member",
     .arguments = "key [member...]"},
};

}  // namespace

void RegisterGeoPositions(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
