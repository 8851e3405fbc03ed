// SPDX-License-Identifier: BSD-3-Clause
// GEOSEARCH, GEOSEARCHSTORE, and their older forms GEORADIUS and GEORADIUSBYMEMBER.
#include <algorithm>
#include <utility>
#include <vector>

#include "command/key_specs.h"
#include "commands/geo/geo_commands.h"
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

enum class Form : uint8_t { kSearch, kSearchStore, kRadius, kRadiusReadOnly };
enum class Order : uint8_t { kNone, kAscending, kDescending };

struct Query {
  geo::Area area;
  double unit = 1;  // metres
  bool has_centre = false;
  bool from_member = false;
  bool has_shape = false;
  bool with_distance = false;
  bool with_hash = false;
  bool with_position = false;
  uint64_t count = 0;  // 0: all
  bool any = false;    // the first that are found will do
  Order order = Order::kNone;
  size_t store = 0;  // argument that names the destination; 0: none
  bool store_distance = false;
};

struct Hit {
  Item member;
  double score;
  double distance;  // metres
};

// Reads the arguments of one command. Each step is false after replying an error.
class QueryParser {
 public:
  QueryParser(CommandContext& ctx, Form form, const ZSetValue* zset)
      : ctx_(ctx), form_(form), zset_(zset) {}

  bool ParseRadius(size_t i) {
    const auto radius = Length(i, "ERR need numeric radius", "ERR radius cannot be negative");
    if (!radius) return false;
    const auto unit = UnitArg(ctx_, i + 1);
    if (!unit) return false;
    query_.unit = *unit;
    query_.area.is_box = false;
    query_.area.radius = *radius * *unit;
    query_.has_shape = true;
    return true;
  }
  bool ParseCentre(size_t i) {
    const auto position = PositionArg(ctx_, i);
    if (!position) return false;
    query_.area.centre = *position;
    query_.has_centre = true;
    return true;
  }
  bool ParseMember(size_t i) {
    query_.has_centre = query_.from_member = true;
    if (zset_ == nullptr) return true;
    double score;
    if (!zset_->Score(ctx_.arg(i), &score)) {
      ctx_.Error("ERR could not decode requested zset member");
      return false;
    }
    query_.area.centre = geo::PositionOf(static_cast<uint64_t>(score));
    return true;
  }
  bool ParseOptions(size_t first) {
    for (size_t i = first; i < ctx_.argc(); ++i) {
      if (!ParseOption(&i)) return false;
    }
    return Agree();
  }
  Query& query() { return query_; }

 private:
  bool searches() const { return form_ == Form::kSearch || form_ == Form::kSearchStore; }

  std::optional<double> Length(size_t i, std::string_view not_a_number, std::string_view negative) {
    const auto length = ctx_.DoubleArg(i, not_a_number);
    if (length && *length < 0) {
      ctx_.Error(negative);
      return std::nullopt;
    }
    return length;
  }

  bool ParseBox(size_t i) {
    const auto width = ctx_.DoubleArg(i, "ERR need numeric width");
    if (!width) return false;
    const auto height = ctx_.DoubleArg(i + 1, "ERR need numeric height");
    if (!height) return false;
    if (*width < 0 || *height < 0) {
      ctx_.Error("ERR height or width cannot be negative");
      return false;
    }
    const auto unit = UnitArg(ctx_, i + 2);
    if (!unit) return false;
    query_.unit = *unit;
    query_.area.is_box = true;
    query_.area.width = *width * *unit;
    query_.area.height = *height * *unit;
    query_.has_shape = true;
    return true;
  }

  // The option at argv[*i]; *i moves on to its last word.
  bool ParseOption(size_t* i) {
    const size_t left = ctx_.argc() - *i - 1;
    auto is = [&](std::string_view word) { return ctx_.ArgIs(*i, word); };
    auto take = [&](size_t words) { return std::exchange(*i, *i + words) + 1; };
    if (is("withdist")) return query_.with_distance = true;
    if (is("withhash")) return query_.with_hash = true;
    if (is("withcoord")) return query_.with_position = true;
    if (is("any")) return query_.any = true;
    if (is("asc")) return query_.order = Order::kAscending, true;
    if (is("desc")) return query_.order = Order::kDescending, true;
    if (is("count") && left >= 1) return ParseCount(take(1));
    if (form_ == Form::kRadius && left >= 1 && (is("store") || is("storedist"))) {
      query_.store_distance = is("storedist");
      query_.store = take(1);
      return true;
    }
    if (form_ == Form::kSearchStore && is("storedist")) return query_.store_distance = true;
    if (searches()) {
      const bool by_place = query_.has_centre && !query_.from_member;
      const bool has_circle = query_.has_shape && !query_.area.is_box;
      const bool has_box = query_.has_shape && query_.area.is_box;
      if (is("frommember") && left >= 1 && !by_place) return ParseMember(take(1));
      if (is("fromlonlat") && left >= 2 && !query_.from_member) return ParseCentre(take(2));
      if (is("byradius") && left >= 2 && !has_box) return ParseRadius(take(2));
      if (is("bybox") && left >= 3 && !has_circle) return ParseBox(take(3));
    }
    ctx_.Error(errors::kSyntax);
    return false;
  }

  bool ParseCount(size_t i) {
    const auto count = ctx_.IntegerArg(i);
    if (!count) return false;
    if (*count <= 0) {
      ctx_.Error("ERR COUNT must be > 0");
      return false;
    }
    query_.count = static_cast<uint64_t>(*count);
    return true;
  }

  // Whether all that was said goes together.
  bool Agree() {
    const bool shows = query_.with_distance || query_.with_hash || query_.with_position;
    const std::string name(ctx_.arg(0));
    std::string error;
    if ((query_.store != 0 || form_ == Form::kSearchStore) && shows) {
      error = std::string(form_ == Form::kSearchStore ? "GEOSEARCHSTORE"
                                                      : "STORE option in GEORADIUS") +
              " is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
    } else if (!query_.has_centre) {
      error = "exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name;
    } else if (!query_.has_shape) {
      error = "exactly one of BYRADIUS and BYBOX can be specified for " + name;
    } else if (query_.any && query_.count == 0) {
      error = "the ANY argument requires COUNT argument";
    }
    if (error.empty()) return true;
    ctx_.Error("ERR " + error);
    return false;
  }

  CommandContext& ctx_;
  Form form_;
  const ZSetValue* zset_;
  Query query_;
};

// The members of one cell that lie in the area, as long as more are wanted.
void SearchCell(const ZSetValue& zset, const Query& query, const geo::AreaTest& area,
                geo::Cell cell, std::vector<Hit>* hits) {
  const ScoreRange range{{static_cast<double>(cell.FirstScore()), false},
                         {static_cast<double>(cell.EndScore()), true}};
  const ZSetValue::Span span = zset.SpanOf(range);
  if (span.count == 0) return;
  ZSetValue::Position at = zset.At(span.first);
  for (uint64_t i = 0; i < span.count; ++i, at = zset.Next(at)) {
    const double score = zset.ScoreAt(at);
    const auto distance = area.DistanceWithin(static_cast<uint64_t>(score));
    if (!distance) continue;
    hits->push_back({zset.MemberAt(at), score, *distance});
    if (query.any && hits->size() >= query.count) return;
  }
}

std::vector<Hit> Search(const ZSetValue& zset, const Query& query) {
  std::vector<Hit> hits;
  const geo::Cover cover = geo::CoverOf(query.area);
  const geo::AreaTest area(query.area);
  for (size_t i = 0; i < cover.count; ++i) {
    SearchCell(zset, query, area, cover.cells[i], &hits);
    if (query.any && hits.size() >= query.count) break;
  }
  Order order = query.order;
  // The nearest, unless any will do.
  if (order == Order::kNone && query.count != 0 && !query.any) order = Order::kAscending;
  if (order != Order::kNone) {
    auto before = [&](const Hit& a, const Hit& b) {
      return order == Order::kAscending ? a.distance < b.distance : a.distance > b.distance;
    };
    if (query.count != 0 && hits.size() > query.count) {
      std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(query.count),
                        hits.end(), before);
    } else {
      std::sort(hits.begin(), hits.end(), before);
    }
  }
  if (query.count != 0 && hits.size() > query.count) hits.resize(query.count);
  return hits;
}

void ReplyHits(ReplySink& reply, const Query& query, const std::vector<Hit>& hits) {
  const int extras = query.with_distance + query.with_hash + query.with_position;
  reply.BeginArray(hits.size());
  for (const Hit& hit : hits) {
    if (extras > 0) reply.BeginArray(1 + static_cast<uint64_t>(extras));
    ReplyItem(reply, hit.member);
    if (query.with_distance) ReplyDistance(reply, hit.distance / query.unit);
    if (query.with_hash) reply.Integer(static_cast<int64_t>(hit.score));
    if (query.with_position) {
      ReplyPosition(reply, geo::PositionOf(static_cast<uint64_t>(hit.score)));
    }
  }
}

std::unique_ptr<ZSetValue> MakeSet(CommandContext& ctx, const Query& query,
                                   const std::vector<Hit>& hits) {
  if (hits.empty()) return nullptr;
  auto result = std::make_unique<ZSetValue>();
  size_t longest = 0;
  ItemText scratch;
  for (const Hit& hit : hits) longest = std::max(longest, hit.member.Text(scratch).size());
  result->PrepareToGrow(hits.size(), longest, ctx.limits());
  for (const Hit& hit : hits) {
    const double score = query.store_distance ? hit.distance / query.unit : hit.score;
    result->Add(hit.member.Text(scratch), score, {}, ctx.limits());
  }
  return result;
}

void Answer(CommandContext& ctx, const Query& query, const ZSetValue* zset,
            std::string_view store_event) {
  std::vector<Hit> hits;
  if (zset != nullptr) hits = Search(*zset, query);
  if (query.store == 0) return ReplyHits(ctx.reply(), query, hits);
  // From here on the members, which the set lends, are not looked at.
  auto result = MakeSet(ctx, query, hits);
  StoreResult(ctx, ctx.key(query.store), std::move(result), kNotifyZSet, store_event);
}

void RunSearch(CommandContext& ctx, Form form, size_t key) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, key, &failed);
  if (failed) return;
  QueryParser parser(ctx, form, zset);
  if (!parser.ParseOptions(key + 1)) return;
  if (form == Form::kSearchStore) parser.query().store = 1;
  Answer(ctx, parser.query(), zset, "geosearchstore");
}

void GeoSearch(CommandContext& ctx) { RunSearch(ctx, Form::kSearch, 1); }
void GeoSearchStore(CommandContext& ctx) { RunSearch(ctx, Form::kSearchStore, 2); }

void RunRadius(CommandContext& ctx, Form form, bool by_member) {
  bool failed;
  const ZSetValue* zset = FindZSet(ctx, 1, &failed);
  if (failed) return;
  QueryParser parser(ctx, form, zset);
  size_t next = by_member ? 3 : 4;
  if (by_member && zset == nullptr) {
    // Nothing is asked of the middle and the radius then.
    parser.query().has_centre = parser.query().has_shape = true;
  } else if (!(by_member ? parser.ParseMember(2) : parser.ParseCentre(2)) ||
             !parser.ParseRadius(next)) {
    return;
  }
  next += 2;
  if (parser.ParseOptions(next)) Answer(ctx, parser.query(), zset, "georadiusstore");
}

void GeoRadius(CommandContext& ctx) { RunRadius(ctx, Form::kRadius, false); }
void GeoRadiusRo(CommandContext& ctx) { RunRadius(ctx, Form::kRadiusReadOnly, false); }
void GeoRadiusByMember(CommandContext& ctx) { RunRadius(ctx, Form::kRadius, true); }
void GeoRadiusByMemberRo(CommandContext& ctx) { RunRadius(ctx, Form::kRadiusReadOnly, true); }

constexpr std::string_view kComplexity =
    "O(N+log(M)): members in the cells around the area, size of the sorted set";

constexpr KeySpec kRadiusKeys[] = {
    {.flags = kKeyRO | kKeyAccess, .begin = 1},
    {.flags = kKeyOW | kKeyUpdate, .begin = 6, .keyword = "STORE"},
    {.flags = kKeyOW | kKeyUpdate, .begin = 6, .keyword = "STOREDIST"}};
constexpr KeySpec kRadiusByMemberKeys[] = {
    {.flags = kKeyRO | kKeyAccess, .begin = 1},
    {.flags = kKeyOW | kKeyUpdate, .begin = 5, .keyword = "STORE"},
    {.flags = kKeyOW | kKeyUpdate, .begin = 5, .keyword = "STOREDIST"}};

constexpr CommandSpec kCommands[] = {
    {.name = "geosearch",
     .handler = GeoSearch,
     .arity = -7,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members within a circle or a box.",
     .since = "6.2.0",
     .group = "geo",
     .complexity = kComplexity,
     .arguments =
         "key from(FROMMEMBER member | FROMLONLAT fromlonlat(longitude:double latitude:double)) "
         "by(circle(BYRADIUS radius:double unit(M | KM | FT | MI)) | box(BYBOX width:double "
         "height:double unit(M | KM | FT | MI))) [order(ASC | DESC)] [count-block(COUNT "
         "count:integer [ANY])] [WITHCOORD] [WITHDIST] [WITHHASH]",
     .history = "7.0.0: units in capital letters"},
    {.name = "geosearchstore",
     .handler = GeoSearchStore,
     .arity = -8,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclGeo,
     .summary = "Stores the members within a circle or a box.",
     .since = "6.2.0",
     .group = "geo",
     .complexity = kComplexity,
     .key_specs = key_specs::kStoreFromOne,
     .arguments =
         "destination:key source:key from(FROMMEMBER member | FROMLONLAT "
         "fromlonlat(longitude:double latitude:double)) by(circle(BYRADIUS radius:double unit(M | "
         "KM | FT | MI)) | box(BYBOX width:double height:double unit(M | KM | FT | MI))) "
         "[order(ASC | DESC)] [count-block(COUNT count:integer [ANY])] [STOREDIST]",
     .history = "7.0.0: units in capital letters"},
    {.name = "georadius",
     .handler = GeoRadius,
     .arity = -6,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .summary = "The members within a circle around a position; GEOSEARCH replaces it.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = kComplexity,
     .key_specs = kRadiusKeys,
     .arguments =
         "key longitude:double latitude:double radius:double unit(M | KM | FT | MI) [WITHCOORD] "
         "[WITHDIST] [WITHHASH] [count-block(COUNT count:integer [ANY@6.2.0])] [order(ASC | DESC)] "
         "[store(STORE storekey:key'key' | STOREDIST storedistkey:key'key')]",
     .history = "6.2.0: `ANY` behind `COUNT`; 7.0.0: units in capital letters",
     .deprecated = "6.2.0: `GEOSEARCH` or `GEOSEARCHSTORE`, with `BYRADIUS`"},
    {.name = "georadius_ro",
     .handler = GeoRadiusRo,
     .arity = -6,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "GEORADIUS without a store, for replicas.",
     .since = "3.2.10",
     .group = "geo",
     .complexity = kComplexity,
     .arguments =
         "key longitude:double latitude:double radius:double unit(M | KM | FT | MI) [WITHCOORD] "
         "[WITHDIST] [WITHHASH] [count-block(COUNT count:integer [ANY@6.2.0])] [order(ASC | DESC)]",
     .history = "6.2.0: `ANY` behind `COUNT`",
     .deprecated = "6.2.0: `GEOSEARCH` with `BYRADIUS`"},
    {.name = "georadiusbymember",
     .handler = GeoRadiusByMember,
     .arity = -5,
     .flags = kCmdWrite | kCmdDenyOom | kCmdMovableKeys,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .summary = "The members within a circle around a member; GEOSEARCH replaces it.",
     .since = "3.2.0",
     .group = "geo",
     .complexity = kComplexity,
     .key_specs = kRadiusByMemberKeys,
     .arguments = "key member radius:double unit(M | KM | FT | MI) [WITHCOORD] [WITHDIST] "
                  "[WITHHASH] [count-block(COUNT count:integer [ANY])] [order(ASC | DESC)] "
                  "[store(STORE storekey:key'key' | STOREDIST storedistkey:key'key')]",
     .history = "7.0.0: units in capital letters",
     .deprecated = "6.2.0: `GEOSEARCH` or `GEOSEARCHSTORE`, with `BYRADIUS` and `FROMMEMBER`"},
    {.name = "georadiusbymember_ro",
     .handler = GeoRadiusByMemberRo,
     .arity = -5,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclGeo,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "GEORADIUSBYMEMBER without a store, for replicas.",
     .since = "3.2.10",
     .group = "geo",
     .complexity = kComplexity,
     .arguments = "key member radius:double unit(M | KM | FT | MI) [WITHCOORD] [WITHDIST] "
                  "[WITHHASH] [count-block(COUNT count:integer [ANY])] [order(ASC | DESC)]",
     .deprecated = "6.2.0: `GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`"},
};

}  // namespace

void RegisterGeoSearch(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
