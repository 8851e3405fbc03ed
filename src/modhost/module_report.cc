// SPDX-License-Identifier: BSD-3-Clause
// ModuleReport: lines in, JSON and replies out.
#include "modhost/module_report.h"

#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/numbers.h"
#include "base/quoting.h"
#include "resp/reply_sink.h"

namespace backplane {
namespace {

int64_t Number(const std::string& text) { return ParseInt64(text).value_or(0); }

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      // Names of files and symbols may hold any byte; JSON text may not.
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned char>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string JsonList(const std::vector<std::string>& words) {
  std::string out = "[";
  for (const std::string& word : words) {
    if (out.size() > 1) out += ", ";
    out += JsonString(word);
  }
  return out += "]";
}

void ReplyList(ReplySink& reply, std::string_view name, const std::vector<std::string>& words) {
  reply.Bulk(name);
  reply.BeginArray(words.size());
  for (const std::string& word : words) reply.Bulk(word);
}

void ReplyText(ReplySink& reply, std::string_view name, std::string_view text) {
  reply.Bulk(name);
  reply.Bulk(text);
}

void ReplyNumber(ReplySink& reply, std::string_view name, int64_t number) {
  reply.Bulk(name);
  reply.Integer(number);
}

std::string PhaseText(const std::string& phase) {
  return phase.empty() ? "before it was mapped" : "in phase '" + phase + "'";
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

std::string ReportLine(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    AppendQuoted(word, &line);
  }
  return line += '\n';
}

std::string ModuleReport::Problem() const {
  if (hung) return "it did not come to an end " + PhaseText(phase);
  if (signal != 0) {
    return "it crashed with " + SignalName(signal) + (place.empty() ? "" : " at " + place) + " " +
           PhaseText(phase);
  }
  if (!reason.empty()) return reason;
  if (!done) return "its process ended " + PhaseText(phase);
  if (values_failed > 0) {
    return std::to_string(values_failed) + " of its values cannot be read: " + value_error;
  }
  return {};
}

void ModuleReport::TakeLine(std::string_view line) {
  const auto split = SplitArgs(line);
  if (!split || split->empty()) return;
  const std::vector<std::string>& words = *split;
  const std::string& kind = words[0];
  auto word = [&](size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (kind == "phase") phase = word(1);
  if (kind == "module") {
    name = word(1);
    version = static_cast<int>(Number(word(2)));
    api_version = static_cast<int>(Number(word(3)));
  }
  if (kind == "on-unload") has_on_unload = true;
  if (kind == "missing") missing_functions.push_back(word(1));
  if (kind == "command") commands.push_back(word(1));
  if (kind == "option") options.push_back(word(1));
  if (kind == "type") types.push_back({word(1), static_cast<int>(Number(word(2)))});
  if (kind == "loaded") {
    loaded = true;
    load_us = Number(word(1));
  }
  if (kind == "refused") reason = word(1);
  if (kind == "signal") signal = static_cast<int>(Number(word(1)));
  if (kind == "place") place = word(1);
  if (kind == "value-error" && value_error.empty()) value_error = word(1);
  if (kind == "values") {
    values = static_cast<uint64_t>(Number(word(1)));
    values_failed = static_cast<uint64_t>(Number(word(2)));
    save_us = Number(word(3));
    revive_us = Number(word(4));
  }
  if (kind == "done") done = true;
}

std::string ModuleReport::ToJson() const {
  std::string types_text = "[";
  for (const Type& type : types) {
    if (types_text.size() > 1) types_text += ", ";
    types_text += "{\"name\": " + JsonString(type.name) +
                  ", \"encver\": " + std::to_string(type.encver) + "}";
  }
  types_text += "]";
  const std::string problem = Problem();
  std::string out = "{\n";
  auto row = [&](const char* key, const std::string& value, bool last = false) {
    out += "  \"" + std::string(key) + "\": " + value + (last ? "\n" : ",\n");
  };
  row("path", JsonString(path));
  row("ok", ok() ? "true" : "false");
  row("problem", problem.empty() ? "null" : JsonString(problem));
  row("phase", JsonString(phase));
  row("signal", signal == 0 ? "null" : JsonString(SignalName(signal)));
  row("place", place.empty() ? "null" : JsonString(place));
  row("name", name.empty() ? "null" : JsonString(name));
  row("version", std::to_string(version));
  row("api_version", std::to_string(api_version));
  row("on_unload", has_on_unload ? "true" : "false");
  row("load_us", std::to_string(load_us));
  row("missing_functions", JsonList(missing_functions));
  row("commands", JsonList(commands));
  row("options", JsonList(options));
  row("types", types_text, true);
  return out += "}\n";
}

void ModuleReport::Reply(ReplySink& reply) const {
  reply.BeginMap(19);
  ReplyText(reply, "path", path);
  ReplyNumber(reply, "ok", ok() ? 1 : 0);
  ReplyText(reply, "problem", Problem());
  ReplyText(reply, "phase", phase);
  ReplyText(reply, "signal", signal == 0 ? "" : SignalName(signal));
  ReplyText(reply, "place", place);
  ReplyText(reply, "name", name);
  ReplyNumber(reply, "version", version);
  ReplyNumber(reply, "api-version", api_version);
  ReplyNumber(reply, "on-unload", has_on_unload ? 1 : 0);
  ReplyNumber(reply, "load-us", load_us);
  ReplyList(reply, "missing-functions", missing_functions);
  ReplyList(reply, "commands", commands);
  ReplyList(reply, "options", options);
  reply.Bulk("types");
  reply.BeginMap(types.size());
  for (const Type& type : types) ReplyNumber(reply, type.name, type.encver);
  ReplyNumber(reply, "values", static_cast<int64_t>(values));
  ReplyNumber(reply, "values-failed", static_cast<int64_t>(values_failed));
  ReplyNumber(reply, "save-us", save_us);
  ReplyNumber(reply, "revive-us", revive_us);
}

}  // namespace backplane
