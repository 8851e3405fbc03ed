// SPDX-License-Identifier: BSD-3-Clause
// The manifest: what is read, what is refused, what is written.
#include "persist/aof_manifest.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

std::string ErrorOf(std::string_view text) {
  auto manifest = AofManifest::Parse(text);
  return manifest ? "" : manifest.error().message;
}

TEST(AofManifestTest, ReadsWhatItWrites) {
  const std::string text =
      "file appendonly.aof.3.base.rdb seq 3 type b\n"
      "file appendonly.aof.2.base.rdb seq 2 type h\n"
      "file appendonly.aof.4.incr.aof seq 4 type h\n"
      "file appendonly.aof.5.incr.aof seq 5 type i\n"
      "file appendonly.aof.9.incr.aof seq 9 type i\n";
  auto manifest = AofManifest::Parse(text);
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->Text(), text);
  EXPECT_EQ(manifest->base->name, "appendonly.aof.3.base.rdb");
  EXPECT_EQ(manifest->base_seq, 3);
  EXPECT_EQ(manifest->incr_seq, 9);
  EXPECT_EQ(manifest->history.size(), 2u);
}

TEST(AofManifestTest, PassesOverCommentsAndUnknownKeys) {
  auto manifest = AofManifest::Parse("# a comment\nTYPE i new value SEQ 1 file x\n");
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->Text(), "file x seq 1 type i\n");
}

TEST(AofManifestTest, QuotesNames) {
  AofManifest manifest;
  manifest.AddIncr(" file seq \n\n.aof ");
  EXPECT_EQ(manifest.Text(), "file \" file seq \\n\\n.aof .1.incr.aof\" seq 1 type i\n");
  auto again = AofManifest::Parse(manifest.Text());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->incrs[0].name, " file seq \n\n.aof .1.incr.aof");
}

TEST(AofManifestTest, RefusesWhatContradictsTheGrammar) {
  const std::string good = "file a seq 1 type i\n";
  EXPECT_EQ(ErrorOf(""), "Found an empty AOF manifest");
  EXPECT_EQ(ErrorOf("# nothing\n"), "Found an empty AOF manifest");
  for (const std::string bad :
       {"\n", "file a seq 1\n", "file a seq 1 type i new\n", "filx a seq 1 type b\n",
        "file a seq x type i\n", "file a seq 0 type i\n", "file a seq -1 type i\n",
        "file a seq 9223372036854775807 type i\n", "file \"\" seq 1 type i\n",
        "file \"a seq 1 type i\n", "file .. seq 1 type i\n"}) {
    EXPECT_NE(ErrorOf(bad).find("at line 1"), std::string::npos) << bad;
    EXPECT_TRUE(ErrorOf(bad).ends_with("Invalid AOF manifest file format")) << bad;
  }
  EXPECT_TRUE(ErrorOf("file ../a seq 1 type i\n").ends_with("can't be a path, just a filename"));
  EXPECT_TRUE(ErrorOf("file a seq 1 type x\n").ends_with("Unknown AOF file type"));
  EXPECT_TRUE(ErrorOf("file a seq 1 type ii\n").ends_with("Unknown AOF file type"));
  EXPECT_TRUE(ErrorOf("file a seq 1 type b\nfile b seq 2 type b\n")
                  .ends_with("Found duplicate base file information"));
  EXPECT_TRUE(ErrorOf(good + good).ends_with("Found a non-monotonic sequence number"));
  EXPECT_NE(ErrorOf(good + good).find("at line 2"), std::string::npos);
  EXPECT_EQ(ErrorOf("file a seq 1 type i"), "The last line of the AOF manifest file has no end");
  EXPECT_EQ(ErrorOf("file " + std::string(2000, 'a') + " seq 1 type i\n"),
            "The AOF manifest file contains too long line");
}

TEST(AofManifestTest, EveryPrefixIsRefusedOrAWholeSet) {
  AofManifest manifest;
  manifest.AddBase("appendonly.aof", AofManifest::BaseForm::kRdb);
  manifest.AddIncr("appendonly.aof");
  const std::string text = manifest.Text();
  for (size_t size = 0; size < text.size(); ++size) {
    auto cut = AofManifest::Parse(std::string_view(text).substr(0, size));
    EXPECT_EQ(cut.has_value(), size == text.find('\n') + 1) << size;
  }
}

TEST(AofManifestTest, ANameThatCannotBeWrittenIsNoticed) {
  AofManifest manifest;
  manifest.AddIncr(std::string(250, '\xff'));
  EXPECT_FALSE(AofManifest::Parse(manifest.Text()).has_value());
}

TEST(AofManifestTest, RewritesMakeHistory) {
  AofManifest manifest;
  const std::string name = "appendonly.aof";
  manifest.AddBase(name, AofManifest::BaseForm::kCommands);
  manifest.AddIncr(name);
  for (int i = 0; i < 2; ++i) {
    manifest.AddIncr(name);
    manifest.AddBase(name, AofManifest::BaseForm::kRdb);
    manifest.RetireIncrs(1);
  }
  EXPECT_EQ(manifest.Text(),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.2.incr.aof seq 2 type h\n"
            "file appendonly.aof.2.base.rdb seq 2 type h\n"
            "file appendonly.aof.1.incr.aof seq 1 type h\n"
            "file appendonly.aof.1.base.aof seq 1 type h\n"
            "file appendonly.aof.3.incr.aof seq 3 type i\n");
  manifest.RetireIncrs(0);
  EXPECT_EQ(manifest.AddIncr(name).name, "appendonly.aof.1.incr.aof");
}

}  // namespace
}  // namespace backplane
