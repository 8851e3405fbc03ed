// SPDX-License-Identifier: BSD-3-Clause
// The kinds of options: each knows how to parse, check and print one type of field. Used by the
// rows in options.cc and by module configs. Engine thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/options.h"

namespace backplane {

class BoolOption final : public Option {
 public:
  BoolOption(std::string name, uint32_t flags, bool* field)
      : Option(std::move(name), flags), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override { return *field_ ? "yes" : "no"; }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  bool* field_;
  bool default_;
};

enum class IntegerFormat : uint8_t { kPlain, kMemory, kOctal };

class IntegerOption final : public Option {
 public:
  IntegerOption(std::string name, uint32_t flags, int64_t* field, int64_t low, int64_t high,
                IntegerFormat format)
      : Option(std::move(name), flags),
        field_(field),
        default_(*field),
        low_(low),
        high_(high),
        format_(format) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  bool IsDefault() const override { return *field_ == default_; }

 private:
  int64_t* field_;
  int64_t default_;
  int64_t low_;
  int64_t high_;
  IntegerFormat format_;
};

struct EnumName {
  std::string_view name;
  int64_t value;
};

class EnumOption final : public Option {
 public:
  EnumOption(std::string name, uint32_t flags, int64_t* field, std::span<const EnumName> names)
      : Option(std::move(name), flags), field_(field), default_(*field), names_(names) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  bool IsDefault() const override { return *field_ == default_; }

 private:
  int64_t* field_;
  int64_t default_;
  std::span<const EnumName> names_;  // static
};

class StringOption final : public Option {
 public:
  // May refuse a text; nullptr accepts all.
  using Check = Status (*)(const std::string& text);
  StringOption(std::string name, uint32_t flags, std::string* field, Check check = nullptr)
      : Option(std::move(name), flags), field_(field), default_(*field), check_(check) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override { return *field_; }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  std::string* field_;
  std::string default_;
  Check check_;
};

// The folders that something is allowed below; none: anywhere. An empty word alone means none. What
// was allowed once can be taken away at run time, and nothing added: whoever may change options
// must not be able to open what the file has closed.
class FoldersOption final : public Option {
 public:
  FoldersOption(std::string name, std::vector<std::string>* field)
      : Option(std::move(name), kOptionMultiple), field_(field), default_(*field) {}
  Status CheckRuntime(const std::vector<std::string>& args) const override;
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  std::vector<std::string> FileValues() const override;
  bool IsDefault() const override { return *field_ == default_; }

 private:
  std::vector<std::string>* field_;
  std::vector<std::string> default_;
};

// Any number of words out of a list, each a bit. Words of no bit change nothing.
class BitsOption final : public Option {
 public:
  // May refuse a combination; nullptr accepts all.
  using Check = Status (*)(int64_t bits);
  BitsOption(std::string name, uint32_t flags, int64_t* field, std::span<const EnumName> names,
             Check check = nullptr)
      : Option(std::move(name), flags | kOptionMultiple | kOptionAnyCount),
        field_(field),
        default_(*field),
        names_(names),
        check_(check) {}
  Status Set(const std::vector<std::string>& args) override;
  // The words of the bits that are set, else the word of none.
  std::string Get() const override;
  std::vector<std::string> FileValues() const override { return {Get()}; }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  int64_t* field_;
  int64_t default_;
  std::span<const EnumName> names_;  // static
  Check check_;
};

// "99.9", as percentiles stand in the configuration and in INFO: six decimals at most.
std::string PercentileText(double percentile);

// Percentages: latency-tracking-info-percentiles.
class PercentilesOption final : public Option {
 public:
  PercentilesOption(std::string name, std::vector<double>* field)
      : Option(std::move(name), kOptionMultiple), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override;
  std::vector<std::string> FileValues() const override;
  bool IsDefault() const override { return *field_ == default_; }

 private:
  std::vector<double>* field_;
  std::vector<double> default_;
};

// A size_t field of EncodingLimits and its kind.
class SizeOption final : public Option {
 public:
  SizeOption(std::string name, uint32_t flags, size_t* field)
      : Option(std::move(name), flags), field_(field), default_(*field) {}
  Status Set(const std::vector<std::string>& args) override;
  std::string Get() const override { return std::to_string(*field_); }
  bool IsDefault() const override { return *field_ == default_; }

 private:
  size_t* field_;
  size_t default_;
};

}  // namespace backplane
