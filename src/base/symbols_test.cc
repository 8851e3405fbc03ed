// SPDX-License-Identifier: BSD-3-Clause
// Names of functions by their addresses.
#include "base/symbols.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace backplane {
namespace {

__attribute__((noinline)) int StaticFunction(int x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}

TEST(Symbols, NameAStaticFunction) {
  EXPECT_EQ(StaticFunction(1), 2);
  const auto* begin = reinterpret_cast<const char*>(&StaticFunction);
  const CodePlace place = FindCode(begin + 1);
  EXPECT_NE(place.function.find("StaticFunction"), std::string::npos) << place.function;
  EXPECT_EQ(place.offset, 1u);
  EXPECT_EQ(place.object, "/proc/self/exe");
  EXPECT_NE(CodePlaceText(place).find("StaticFunction"), std::string::npos);
}

TEST(Symbols, NameALibrarysFunction) {
  // One that no sanitizer stands in front of.
  const CodePlace place = FindCode(dlsym(RTLD_DEFAULT, "getppid"));
  EXPECT_NE(place.object.find("libc"), std::string::npos) << place.object;
  EXPECT_FALSE(place.function.empty());
}

TEST(Symbols, KnowNothingOfOtherAddresses) {
  int variable = 0;
  const CodePlace place = FindCode(&variable);
  EXPECT_TRUE(place.object.empty());
  EXPECT_EQ(CodePlaceText(place), "?");
}

}  // namespace
}  // namespace backplane
