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
  DormantTypes types;
  const std::string body(1000, 'x');
  auto value = DormantValue::New(types.Of(ModuleTypeId("ninechars", 3)), body);
  EXPECT_EQ(value->type().name(), "ninechars");
  EXPECT_EQ(value->type().id(), TypeId::kModule);
  EXPECT_EQ(value->body(), body);
  EXPECT_EQ(value->MemoryUsage(0), sizeof(DormantValue) + 1000);
  EXPECT_EQ(AsDormant(static_cast<Value&>(*value)), value.get());
}

TEST(DormantValueTest, TypesCountTheirValuesAndErrors) {
  DormantTypes types;
  DormantType& type = types.Of(ModuleTypeId("ninechars", 3));
  EXPECT_EQ(&types.Of(ModuleTypeId("ninechars", 3)), &type);
  EXPECT_NE(&types.Of(ModuleTypeId("ninechars", 4)), &type);
  auto one = DormantValue::New(type, "12345");
  std::unique_ptr<Value> two = one->Clone();
  EXPECT_EQ(type.values(), 2);
  EXPECT_EQ(type.bytes(), static_cast<int64_t>(2 * (sizeof(DormantValue) + 5)));
  one->set_last_error("because");
  EXPECT_EQ(one->last_error(), "because");
  EXPECT_EQ(AsDormant(*two)->last_error(), "");
  EXPECT_EQ(type.failed_values(), 1u);
  EXPECT_EQ(types.Revivable("ninechars"), 1);
  one.reset();
  EXPECT_EQ(type.failed_values(), 0u);
  EXPECT_EQ(type.last_error(), "because");
  two.reset();
  EXPECT_EQ(type.values(), 0);
  EXPECT_EQ(type.bytes(), 0);
}

}  // namespace
}  // namespace backplane
