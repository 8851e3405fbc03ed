// SPDX-License-Identifier: BSD-3-Clause
// The parts of the geo family, put together by RegisterGeoCommands. Positions are the scores of
// sorted sets. Engine thread.
#pragma once

#include <optional>
#include <string_view>

#include "command/context.h"
#include "commands/geo/geohash.h"

namespace backplane {

void RegisterGeoPositions(CommandRegistry& registry);
void RegisterGeoSearch(CommandRegistry& registry);

// argv[i], argv[i + 1]; nullopt after replying an error.
std::optional<geo::Position> PositionArg(CommandContext& ctx, size_t i);
// Metres in the unit argv[i]; nullopt after replying an error.
std::optional<double> UnitArg(CommandContext& ctx, size_t i);
// An array of longitude and latitude.
void ReplyPosition(ReplySink& reply, geo::Position position);
// With four digits behind the point, always as a string.
void ReplyDistance(ReplySink& reply, double distance);

}  // namespace backplane
