// SPDX-License-Identifier: BSD-3-Clause
// Type ids of module values. Capture and write-back over real streams are tested in persist/, which
// has the streams.
#include "value/dormant_value.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(ModuleTypeIdTest, RoundTripsNameAndVersion) {
  uint64_t id = ModuleTypeId("ft_index0", 1023);
  ASSERT_NE(id, 0u);
  EXPECT_EQ(ModuleTypeName(id), "ft_index0");
  EXPECT_EQ(ModuleTypeEncodingVersion(id), 1023);
}

TEST(ModuleTypeIdTest, RefusesWhatTheFormatCannotHold) {
  EXPECT_EQ(ModuleTypeId("tooshort", 0), 0u);
  EXPECT_EQ(ModuleTypeId("ninechar!", 0), 0u);
  EXPECT_EQ(ModuleTypeId("ninechars", 1024), 0u);
  EXPECT_EQ(ModuleTypeId("ninechars", -1), 0u);
}

TEST(DormantValueTest, ShowsTheTypeNameAndItsSize) {
  DormantValue value(ModuleTypeId("ninechars", 3), std::string(1000, 'x'));
  EXPECT_EQ(value.type().name(), "ninechars");
  EXPECT_EQ(value.type().id(), TypeId::kModule);
  EXPECT_GE(value.MemoryUsage(0), 1000u);
  EXPECT_EQ(AsDormant(value), &value);
}

}  // namespace
}  // namespace backplane
