# SPDX-License-Identifier: BSD-3-Clause
"""File and function lengths, as a ratchet, and the scanner that finds functions."""

import functions
import lengths


def test_nothing_grows_too_long():
    over, allowed = lengths.measure(), lengths.allowed()
    grown = {name: lines for name, lines in over.items() if lines > allowed.get(name, 0)}
    assert not grown, (f"over {lengths.FILE_LINES_MAX} lines a file or {lengths.FUNCTION_LINES_MAX} a function: "
                       "split by purpose")
    stale = {name: lines for name, lines in allowed.items() if over.get(name, 0) < lines}
    assert not stale, "shorter than long.txt says: tests/tidy/lengths.py --update"


CODE = '''
// SPDX
#include "a.h"
#define MACRO(x) \\
  do { x; } while (0)

namespace backplane {
namespace {

constexpr int kTable[] = {1, 2, 3};
const Row kRows[] = {
    {"a{", Get(1), '{'},
    {"b", Get(2), '}'},
};

struct Point {
  int x = 0;
  Point() : x(1), y{2} {
    Go();
  }
  int X() const { return x; }
};

enum class Color : int { kRed, kBlue };

template <class T, int n = 3>
T Twice(T value) {
  auto f = [](int x) {
    return x;
  };
  if (value) { return f(1'000'000); }
  return R"(} not a brace {)";
}

}  // namespace

/* { */
Result<int> Thing::Run(
    int a,  // why {
    int b) && noexcept {
  return 1;
}

class Other final : public Base<int> {
 public:
  explicit Other(int x)
      : Base(x), v_{x} {}
  bool operator==(const Other& o) const { return true; }
  void operator()() { Call(); }
  ~Other() override;

 private:
  std::array<int, 2> v_{1, 2};
  int w_ = [] { return 1; }();
};

extern "C" {
int CFunction(void) {
  return 0;
}
}

static struct Point *MakePoint(void) {
  return 0;
}

TEST(Suite, Name) {
  EXPECT_EQ(1, 1);
}

}  // namespace backplane
'''


def test_the_scanner_finds_functions():
    found = {name: length for name, _, length in functions.functions(CODE)}
    assert found == {"Point": 3, "X": 1, "Twice": 8, "Thing::Run": 5, "Other": 2, "operator==": 1, "operator()": 1,
                     "CFunction": 3, "MakePoint": 3, "TEST(Suite, Name)": 3}


def test_the_scanner_counts_lines_and_knows_where():
    body = "\n".join("  x();" for _ in range(100))
    [(name, line, length)] = functions.functions(f"\n\nvoid Long() {{\n{body}\n}}\n")
    assert (name, line, length) == ("Long", 3, 102)
