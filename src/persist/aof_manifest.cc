// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_manifest.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/numbers.h"
#include "base/quoting.h"

namespace backplane {
namespace {

constexpr size_t kLineMax = 1024;
// Numbers are counted on from there.
constexpr int64_t kSeqMax = int64_t{1} << 62;

std::unexpected<Error> Bad(std::string text) { return Fail(ErrorCode::kCorrupt, std::move(text)); }

// A line, as far as anybody reads it in a log.
std::unexpected<Error> BadLine(int number, std::string_view line, const std::string& why) {
  return Bad("Reading the manifest file, at line " + std::to_string(number) + " (" +
             QuoteArg(line) + "): " + why);
}

struct Line {
  AofManifest::File file;
  char type = 0;
};

// The error is its text alone.
Result<Line> ParseFile(std::string_view text) {
  const std::string invalid = "Invalid AOF manifest file format";
  const auto words = SplitArgs(text);
  constexpr size_t kWordsMin = 6;
  if (!words || words->size() < kWordsMin || words->size() % 2 != 0) return Bad(invalid);
  Line line;
  for (size_t i = 0; i < words->size(); i += 2) {
    const std::string& key = (*words)[i];
    const std::string& value = (*words)[i + 1];
    if (EqualsIgnoreCase(key, "file")) {
      if (value.find('/') != std::string::npos) return Bad("File can't be a path, just a filename");
      line.file.name = value;
    } else if (EqualsIgnoreCase(key, "seq")) {
      line.file.seq = ParseInt64(value).value_or(0);
    } else if (EqualsIgnoreCase(key, "type")) {
      line.type = value.size() == 1 ? value[0] : '?';
    }
  }
  const int64_t seq = line.file.seq;
  if (line.file.name.empty() || line.type == 0 || seq < 1 || seq > kSeqMax) return Bad(invalid);
  if (line.file.name == "." || line.file.name == "..") return Bad(invalid);
  return line;
}

// The error is its text alone.
Status AddLine(Line line, AofManifest* manifest) {
  switch (line.type) {
    case 'b':
      if (manifest->base) return Bad("Found duplicate base file information");
      manifest->base_seq = line.file.seq;
      manifest->base = std::move(line.file);
      return {};
    case 'h':
      manifest->history.push_back(std::move(line.file));
      return {};
    case 'i':
      if (line.file.seq <= manifest->incr_seq) return Bad("Found a non-monotonic sequence number");
      manifest->incr_seq = line.file.seq;
      manifest->incrs.push_back(std::move(line.file));
      return {};
    default:
      return Bad("Unknown AOF file type");
  }
}

bool NeedsQuotes(std::string_view name) {
  return name.empty() || std::any_of(name.begin(), name.end(), [](unsigned char c) {
           return c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\' || c == '#';
         });
}

void AppendLine(const AofManifest::File& file, char type, std::string* out) {
  *out += "file ";
  *out += NeedsQuotes(file.name) ? QuoteArg(file.name) : file.name;
  *out += " seq " + std::to_string(file.seq) + " type ";
  *out += type;
  *out += '\n';
}

std::string NameOf(const std::string& prefix, int64_t seq, const char* suffix) {
  return prefix + "." + std::to_string(seq) + suffix;
}

}  // namespace

Result<AofManifest> AofManifest::Parse(std::string_view text) {
  AofManifest manifest;
  bool any = false;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.substr(0, kLineMax).find('\n');
    if (end == std::string_view::npos) {
      return Bad(text.size() < kLineMax ? "The last line of the AOF manifest file has no end"
                                        : "The AOF manifest file contains too long line");
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with('#')) continue;
    auto parsed = ParseFile(line);
    if (!parsed) return BadLine(number, line, parsed.error().message);
    if (auto status = AddLine(std::move(*parsed), &manifest); !status) {
      return BadLine(number, line, status.error().message);
    }
    any = true;
  }
  if (!any) return Bad("Found an empty AOF manifest");
  return manifest;
}

std::string AofManifest::Text() const {
  std::string text;
  if (base) AppendLine(*base, 'b', &text);
  for (const File& file : history) AppendLine(file, 'h', &text);
  for (const File& file : incrs) AppendLine(file, 'i', &text);
  return text;
}

const AofManifest::File& AofManifest::AddBase(const std::string& prefix, BaseForm form) {
  if (base) history.push_front(std::move(*base));
  ++base_seq;
  base =
      File{NameOf(prefix, base_seq, form == BaseForm::kRdb ? ".base.rdb" : ".base.aof"), base_seq};
  return *base;
}

const AofManifest::File& AofManifest::AddIncr(const std::string& prefix) {
  ++incr_seq;
  incrs.push_back({NameOf(prefix, incr_seq, ".incr.aof"), incr_seq});
  return incrs.back();
}

void AofManifest::RetireIncrs(size_t kept) {
  while (incrs.size() > kept) {
    history.push_front(std::move(incrs.front()));
    incrs.erase(incrs.begin());
  }
  // As a set without any begins.
  if (incrs.empty()) incr_seq = 0;
}

}  // namespace backplane
