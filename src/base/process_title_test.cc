// SPDX-License-Identifier: BSD-3-Clause
// The memory of the arguments is tested with a server: tests/integration/test_process.py.
#include "base/process_title.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane {
namespace {

std::optional<std::string> Expand(std::string_view text) {
  const std::vector<TitleVariable> variables = {{"title", "prog"}, {"port", "1"}, {"mode", ""}};
  return ExpandTitle(text, variables);
}

TEST(ExpandTitle, Variables) {
  EXPECT_EQ(Expand("{title}"), "prog");
  EXPECT_EQ(Expand("TEST {title} x{port}{port}y {mode}"), "TEST prog x11y");
  EXPECT_EQ(Expand("  {mode} {title}"), "prog");
}

TEST(ExpandTitle, Braces) {
  EXPECT_EQ(Expand("a}{title}"), "a}prog");
  EXPECT_EQ(Expand("{{title}}"), "{title}}");
  EXPECT_EQ(Expand("{{{title}"), "{prog");
}

TEST(ExpandTitle, Refused) {
  for (const char* text :
       {"", "   ", "{mode}", "{none}", "{title", "{", "{}", "a {title} {", "{Title}"})
    EXPECT_EQ(Expand(text), std::nullopt) << text;
}

}  // namespace
}  // namespace backplane
