// SPDX-License-Identifier: BSD-3-Clause
// Lines of syntax and of history.
#include "command/docs.h"

#include <gtest/gtest.h>

#include "command/registry.h"

namespace backplane {
namespace {

// One line a argument, for comparison: name, type, and the fields that are not empty.
std::string Show(const std::vector<ArgumentDoc>& arguments) {
  std::string out;
  for (const ArgumentDoc& argument : arguments) {
    if (!out.empty()) out += ' ';
    out += argument.name + "/" + std::string(ArgumentTypeName(argument.type));
    if (!argument.display_text.empty()) out += "/" + argument.display_text;
    if (argument.key_spec_index >= 0) out += "/#" + std::to_string(argument.key_spec_index);
    if (!argument.token.empty()) out += "/token=" + argument.token;
    if (!argument.since.empty()) out += "/since=" + argument.since;
    if (!argument.deprecated_since.empty()) out += "/until=" + argument.deprecated_since;
    if (argument.optional) out += "/optional";
    if (argument.multiple) out += "/multiple";
    if (argument.multiple_token) out += "/multiple_token";
    if (!argument.parts.empty()) out += "{" + Show(argument.parts) + "}";
  }
  return out;
}

std::string Parsed(std::string_view text) {
  auto arguments = ParseArguments(text);
  return arguments ? Show(*arguments) : "error: " + arguments.error().message;
}

TEST(ArgumentSyntaxTest, Names) {
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("  "), "");
  EXPECT_EQ(Parsed("value"), "value/string/value");
  EXPECT_EQ(Parsed("count:integer score:double"), "count/integer/count score/double/score");
  EXPECT_EQ(Parsed("at:unix-time"), "at/unix-time/at");
  EXPECT_EQ(Parsed("pattern"), "pattern/pattern/pattern");
  EXPECT_EQ(Parsed("by:pattern'pattern'#1"), "by/pattern/pattern/#1");
  EXPECT_EQ(Parsed("addr'ip:port'@6.2.0!7.0.0"), "addr/string/ip:port/since=6.2.0/until=7.0.0");
}

TEST(ArgumentSyntaxTest, KeysAreNumberedUnlessTheySayIt) {
  EXPECT_EQ(Parsed("key to:key"), "key/key/key/#0 to/key/to/#1");
  EXPECT_EQ(Parsed("key1:key key2:key#0 last:key"),
            "key1/key/key1/#0 key2/key/key2/#0 last/key/last/#1");
  EXPECT_EQ(Parsed("key:string key"), "key/string/key key/key/key/#0");
}

TEST(ArgumentSyntaxTest, Tokens) {
  EXPECT_EQ(Parsed("GET"), "get/pure-token/get/token=GET");
  EXPECT_EQ(Parsed("GET@6.2.0"), "get/pure-token/get/token=GET/since=6.2.0");
  EXPECT_EQ(Parsed("change=CH"), "change/pure-token/change/token=CH");
  EXPECT_EQ(Parsed("equal== any=*"), "equal/pure-token/equal/token== any/pure-token/any/token=*");
  EXPECT_EQ(Parsed("none=\"\""), "none/pure-token/none");
  EXPECT_EQ(Parsed("EX seconds:integer"), "seconds/integer/seconds/token=EX");
  EXPECT_EQ(Parsed("NO ONE"), "no/pure-token/no/token=NO one/pure-token/one/token=ONE");
  EXPECT_EQ(Parsed("FULL change=CH"),
            "full/pure-token/full/token=FULL change/pure-token/change/token=CH");
  EXPECT_EQ(Parsed("LIB-NAME name"), "name/string/name/token=LIB-NAME");
}

TEST(ArgumentSyntaxTest, OptionalAndRepeated) {
  EXPECT_EQ(Parsed("key..."), "key/key/key/#0/multiple");
  EXPECT_EQ(Parsed("[member...]"), "member/string/member/optional/multiple");
  EXPECT_EQ(Parsed("[ ID id:integer@6.2.0... ]"),
            "id/integer/id/token=ID/since=6.2.0/optional/multiple");
  EXPECT_EQ(Parsed("[PREFIX prefix]..."),
            "prefix/string/prefix/token=PREFIX/optional/multiple/multiple_token");
}

TEST(ArgumentSyntaxTest, Groups) {
  EXPECT_EQ(Parsed("data(score:double member)..."),
            "data/block/multiple{score/double/score member/string/member}");
  EXPECT_EQ(Parsed("[condition@3.0.2(NX | XX)]"),
            "condition/oneof/since=3.0.2/optional{nx/pure-token/nx/token=NX "
            "xx/pure-token/xx/token=XX}");
  EXPECT_EQ(Parsed("STREAMS streams(key... id...)"),
            "streams/block/token=STREAMS{key/key/key/#0/multiple id/string/id/multiple}");
  EXPECT_EQ(Parsed("of([ID id]|[all(A B)])"),
            "of/oneof{id/string/id/token=ID/optional "
            "all/block/optional{a/pure-token/a/token=A b/pure-token/b/token=B}}");
}

TEST(ArgumentSyntaxTest, Errors) {
  EXPECT_EQ(Parsed("[key"), "error: ']' is missing at ''");
  EXPECT_EQ(Parsed("key]"), "error: a name or a token is missing at ']'");
  EXPECT_EQ(Parsed("a | b"), "error: a name or a token is missing at '| b'");
  EXPECT_EQ(Parsed("a:number"), "error: a type that does not exist at ''");
  EXPECT_EQ(Parsed("a:oneof"), "error: a type that does not exist at ''");
  EXPECT_EQ(Parsed("GET:integer"), "error: a token with a type at ''");
  EXPECT_EQ(Parsed("a=b"), "error: '=' without a token behind it at ''");
  EXPECT_EQ(Parsed("a@six"), "error: no version at ''");
  EXPECT_EQ(Parsed("a@"), "error: no version at ''");
  EXPECT_EQ(Parsed("a!1."), "error: no version at ''");
  EXPECT_EQ(Parsed("a#x b"), "error: no number at ' b'");
  EXPECT_EQ(Parsed("a'b"), "error: the display text has no end at 'b'");
  EXPECT_EQ(Parsed("a'x'(B | C)"), "error: a group is not displayed at 'B | C)'");
  EXPECT_EQ(Parsed("a(B)"), "error: a group of less than two at ''");
  EXPECT_EQ(Parsed("a(B | C D)"), "error: '|' stands between some only at 'D)'");
  EXPECT_EQ(Parsed("a(B C | D)"), "error: '|' stands between some only at ' D)'");
  EXPECT_EQ(Parsed("a(B | C"), "error: '|' stands between some only at ''");
  EXPECT_EQ(Parsed("a(B |)"), "error: a name or a token is missing at ')'");
  EXPECT_EQ(Parsed("[a]..."), "error: what is repeated with its token has none at ''");
  std::string deep;
  for (int i = 0; i < 9; ++i) deep += "a(B ";
  EXPECT_EQ(Parsed(deep), "error: groups are nested too deeply at 'B '");
}

TEST(HistoryTest, Entries) {
  EXPECT_TRUE(ParseHistory("")->empty());
  auto entries = ParseHistory("2.4.0: several: more; 6.2.0: GT and LT");
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].since, "2.4.0");
  EXPECT_EQ((*entries)[0].change, "several: more");
  EXPECT_EQ((*entries)[1].since, "6.2.0");
  EXPECT_EQ((*entries)[1].change, "GT and LT");
  for (const char* bad : {"x", "2.4.0", "2.4.0: ", "2.4.0: a; b", "new: a"}) {
    EXPECT_FALSE(ParseHistory(bad).has_value()) << bad;
  }
}

void Nothing(CommandContext&) {}

constexpr CommandSpec kRows[] = {{.name = "get",
                                  .handler = Nothing,
                                  .arity = 2,
                                  .flags = kCmdReadonly,
                                  .keys = {1, 1, 1},
                                  .summary = "Reads.",
                                  .since = "1.0.0",
                                  .group = "string",
                                  .complexity = "O(1)",
                                  .arguments = "key",
                                  .history = "2.0.0: more",
                                  .deprecated = "3.0.0: `FETCH`: faster",
                                  .system = true,
                                  .key_notes = "why"}};

TEST(CommandDocsTest, OfARow) {
  CommandRegistry registry;
  registry.Add(kRows);
  const CommandDocs docs = DocsOf(*registry.Find("get"));
  EXPECT_EQ(docs.summary + docs.since + docs.group + docs.complexity, "Reads.1.0.0stringO(1)");
  EXPECT_EQ(Show(docs.arguments), "key/key/key/#0");
  EXPECT_EQ(docs.deprecated_since, "3.0.0");
  EXPECT_EQ(docs.replaced_by, "`FETCH`: faster");
  EXPECT_TRUE(docs.system);
  ASSERT_EQ(docs.history.size(), 1u);
  EXPECT_EQ(registry.Find("get")->key_specs.at(0).notes, "why");
}

TEST(CommandDocsTest, OfACommandWithoutARow) {
  Command command;
  EXPECT_EQ(DocsOf(command).group, "module");
  auto docs = std::make_unique<CommandDocs>();
  docs->summary = "Its own.";
  command.docs = std::move(docs);
  EXPECT_EQ(DocsOf(command).summary, "Its own.");
}

}  // namespace
}  // namespace backplane
