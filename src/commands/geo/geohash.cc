// SPDX-License-Identifier: BSD-3-Clause
// Geohashes: interleaving, cells, cover of an area.
#include "commands/geo/geohash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace backplane::geo {
namespace {

constexpr double kEarthRadius = 6372797.560856;  // metres
// Half of the way around in the Mercator projection, metres.
constexpr double kMercatorMax = 20037726.37;
constexpr double kRadian = std::numbers::pi / 180;

double ToRadians(double degrees) { return degrees * kRadian; }
double ToDegrees(double radians) { return radians / kRadian; }

// Every bit of the lower half moves to twice its place.
uint64_t Spread(uint32_t half) {
  uint64_t x = half;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}

uint32_t Gather(uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(x | x >> 16);
}

// The place of a value in [-limit, limit] among 2^steps equal parts.
uint32_t PartOf(double value, double limit, unsigned steps) {
  const double share = (value + limit) / (limit + limit);
  return static_cast<uint32_t>(share * static_cast<double>(uint64_t{1} << steps));
}

uint64_t BitsOf(Position position, double latitude_max, unsigned steps) {
  return Spread(PartOf(position.latitude, latitude_max, steps)) |
         Spread(PartOf(position.longitude, kLongitudeMax, steps)) << 1;
}

struct Box {
  double west, south, east, north;
};

Box BoxOf(Cell cell) {
  const double parts = static_cast<double>(uint64_t{1} << cell.steps);
  const uint32_t row = Gather(cell.bits);
  const uint32_t column = Gather(cell.bits >> 1);
  auto edge = [&](uint64_t part, double limit) {
    return -limit + static_cast<double>(part) / parts * (limit + limit);
  };
  return {edge(column, kLongitudeMax), edge(row, kLatitudeMax),
          edge(uint64_t{column} + 1, kLongitudeMax), edge(uint64_t{row} + 1, kLatitudeMax)};
}

// The cell so many columns to the east and rows to the north, around the globe. (The very edge of
// the map is a row and a column of its own, behind the last; who does not leave it stays there.)
Cell Neighbour(Cell cell, int columns, int rows) {
  const auto mask = static_cast<uint32_t>((uint64_t{1} << cell.steps) - 1);
  uint32_t row = Gather(cell.bits);
  uint32_t column = Gather(cell.bits >> 1);
  if (rows != 0) row = (row + static_cast<uint32_t>(rows)) & mask;
  if (columns != 0) column = (column + static_cast<uint32_t>(columns)) & mask;
  return {Spread(row) | Spread(column) << 1, cell.steps};
}

double LatitudeDistance(double a, double b) {
  return kEarthRadius * std::fabs(ToRadians(b) - ToRadians(a));
}

// The box around an area, in degrees; it may reach beyond the poles and the date line.
Box Bounds(const Area& area) {
  const double height = area.is_box ? area.height / 2 : area.radius;
  const double width = area.is_box ? area.width / 2 : area.radius;
  const double up = ToDegrees(height / kEarthRadius);
  const Position& centre = area.centre;
  auto reach = [&](double latitude) {
    return ToDegrees(width / kEarthRadius / std::cos(ToRadians(latitude)));
  };
  // Towards its pole an area reaches over more degrees.
  const double across = reach(centre.latitude < 0 ? centre.latitude - up : centre.latitude + up);
  return {centre.longitude - across, centre.latitude - up, centre.longitude + across,
          centre.latitude + up};
}

// The most steps whose cells are still as large as the radius, so that nine of them cover it.
unsigned StepsFor(double radius, double latitude) {
  if (radius == 0) return kStepsMax;
  int steps = 1;
  for (double range = radius; range < kMercatorMax; range *= 2) ++steps;
  // Two fewer, since the centre may lie at the edge of its cell; near the poles cells are narrow.
  steps -= 2;
  if (std::fabs(latitude) > 66) --steps;
  if (std::fabs(latitude) > 80) --steps;
  return static_cast<unsigned>(std::clamp(steps, 1, static_cast<int>(kStepsMax)));
}

bool NeighboursSuffice(Cell centre, const Box& bounds) {
  return BoxOf(Neighbour(centre, 0, 1)).north >= bounds.north &&
         BoxOf(Neighbour(centre, 0, -1)).south <= bounds.south &&
         BoxOf(Neighbour(centre, 1, 0)).east >= bounds.east &&
         BoxOf(Neighbour(centre, -1, 0)).west <= bounds.west;
}

}  // namespace

bool IsValid(Position position) {
  return std::fabs(position.longitude) <= kLongitudeMax &&
         std::fabs(position.latitude) <= kLatitudeMax;
}

Cell CellOf(Position position, unsigned steps) {
  return {BitsOf(position, kLatitudeMax, steps), steps};
}

uint64_t ScoreOf(Position position) { return CellOf(position, kStepsMax).bits; }

Position PositionOf(uint64_t score) {
  const Box box = BoxOf({score, kStepsMax});
  return {std::clamp((box.west + box.east) / 2, -kLongitudeMax, kLongitudeMax),
          std::clamp((box.south + box.north) / 2, -kLatitudeMax, kLatitudeMax)};
}

std::string TextOf(Position position) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  // There latitudes go to the poles.
  const uint64_t bits = BitsOf(position, 90, kStepsMax);
  std::string text;
  for (int shift = 47; shift >= 0; shift -= 5) text += kLetters[bits >> shift & 31];
  // Two bits are left over; an eleventh letter is there, and says nothing.
  return text + '0';
}

double Distance(Position a, Position b) {
  const double a_latitude = ToRadians(a.latitude);
  const double b_latitude = ToRadians(b.latitude);
  const double v = std::sin((ToRadians(b.longitude) - ToRadians(a.longitude)) / 2);
  if (v == 0) return LatitudeDistance(a.latitude, b.latitude);
  const double u = std::sin((b_latitude - a_latitude) / 2);
  return 2 * kEarthRadius *
         std::asin(std::sqrt(u * u + std::cos(a_latitude) * std::cos(b_latitude) * v * v));
}

std::optional<double> Area::DistanceWithin(Position position) const {
  if (is_box) {
    // Along the position's own parallel: the box gets no wider towards the pole.
    const Position beside = {centre.longitude, position.latitude};
    if (LatitudeDistance(position.latitude, centre.latitude) > height / 2) return std::nullopt;
    if (Distance(position, beside) > width / 2) return std::nullopt;
    return Distance(centre, position);
  }
  const double distance = Distance(centre, position);
  if (distance > radius) return std::nullopt;
  return distance;
}

// A little wider than asked for: what the exact figures let in must not be turned away.
AreaTest::Band AreaTest::BandOf(double low, double high, double limit) {
  const double margin = (high - low) * 1e-9;
  const uint32_t first = PartOf(std::max(low - margin, -limit), limit, kStepsMax);
  const uint32_t last = PartOf(std::min(high + margin, limit), limit, kStepsMax);
  const uint32_t from = first > 0 ? first - 1 : 0;
  return {from, last - from + 1};
}

AreaTest::AreaTest(const Area& area) : area_(area) {
  const Box bounds = Bounds(area);
  rows_ = BandOf(bounds.south, bounds.north, kLatitudeMax);
  const bool wraps = bounds.north >= 90 || bounds.south <= -90 || bounds.east >= kLongitudeMax ||
                     bounds.west <= -kLongitudeMax;
  // A box is as wide as the parallel of each position makes it, which may be more than at its edge.
  if (!wraps && !area.is_box) columns_ = BandOf(bounds.west, bounds.east, kLongitudeMax);
}

std::optional<double> AreaTest::DistanceWithin(uint64_t score) const {
  if (!rows_.Has(Gather(score)) || !columns_.Has(Gather(score >> 1))) return std::nullopt;
  return area_.DistanceWithin(PositionOf(score));
}

Cover CoverOf(const Area& area) {
  const Box bounds = Bounds(area);
  const double radius =
      area.is_box
          ? std::sqrt(area.width / 2 * (area.width / 2) + area.height / 2 * (area.height / 2))
          : area.radius;
  unsigned steps = StepsFor(radius, area.centre.latitude);
  Cell centre = CellOf(area.centre, steps);
  if (steps > 1 && !NeighboursSuffice(centre, bounds)) centre = CellOf(area.centre, --steps);
  const Box middle = BoxOf(centre);
  // With fewer steps the neighbours are everything.
  const bool selects = steps >= 2;
  const bool north = !selects || middle.north <= bounds.north;
  const bool south = !selects || middle.south >= bounds.south;
  const bool east = !selects || middle.east <= bounds.east;
  const bool west = !selects || middle.west >= bounds.west;
  struct Direction {
    int columns, rows;
    bool reached;
  };
  const Direction directions[] = {
      {0, 1, north},          {0, -1, south},          {1, 0, east},
      {-1, 0, west},          {1, 1, north && east},   {-1, 1, north && west},
      {1, -1, south && east}, {-1, -1, south && west},
  };
  Cover cover;
  cover.cells[cover.count++] = centre;
  for (const Direction& direction : directions) {
    if (!direction.reached) continue;
    const Cell cell = Neighbour(centre, direction.columns, direction.rows);
    // Around a small globe both neighbours are the same cell.
    if (cover.cells[cover.count - 1] != cell || cover.count == 1) cover.cells[cover.count++] = cell;
  }
  return cover;
}

}  // namespace backplane::geo
