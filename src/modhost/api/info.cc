// SPDX-License-Identifier: BSD-3-Clause
// API areas: modules' sections of INFO, and reading INFO.
#include <algorithm>
#include <cstdio>

#include "base/ascii.h"
#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/info_writer.h"
#include "modhost/server_info.h"

namespace backplane {
namespace {

using Kind = RedisModuleCtx::Kind;

int RegisterInfoFunc(RedisModuleCtx* ctx, RedisModuleInfoFunc cb) {
  auto& providers = ctx->host().info_providers();
  std::erase_if(providers, [&](const auto& p) { return p.module == ctx->module; });
  providers.push_back({ctx->module, cb});
  return REDISMODULE_OK;
}

int InfoEndDictField(RedisModuleInfoCtx* ctx) {
  if (!ctx->in_dict) return REDISMODULE_ERR;
  ctx->out += "\r\n";
  ctx->in_dict = false;
  return REDISMODULE_OK;
}

int InfoAddSection(RedisModuleInfoCtx* ctx, const char* name) {
  if (ctx->in_dict) InfoEndDictField(ctx);
  std::string full = ctx->module->name();
  if (name != nullptr && *name != '\0') full += "_" + std::string(name);
  ctx->in_section = ctx->wanted.empty() || EqualsIgnoreCase(ctx->wanted, full) ||
                    EqualsIgnoreCase(ctx->wanted, ctx->module->name());
  if (!ctx->in_section) return REDISMODULE_ERR;
  if (!ctx->out.empty()) ctx->out += "\r\n";
  ctx->out += "# " + full + "\r\n";
  return REDISMODULE_OK;
}

// What would be read as something else in the text of INFO.
std::string SafeName(const char* name) {
  std::string safe = name;
  std::replace_if(
      safe.begin(), safe.end(),
      [](char c) { return c == '#' || c == ':' || c == '\r' || c == '\n'; }, '_');
  return safe;
}

int InfoBeginDictField(RedisModuleInfoCtx* ctx, const char* name) {
  if (!ctx->in_section) return REDISMODULE_ERR;
  if (ctx->in_dict) InfoEndDictField(ctx);
  ctx->out += ctx->module->name() + "_" + SafeName(name) + ":";
  ctx->in_dict = true;
  ctx->dict_has_pairs = false;
  return REDISMODULE_OK;
}

int AddField(RedisModuleInfoCtx* ctx, const char* field, std::string_view value) {
  if (!ctx->in_section) return REDISMODULE_ERR;
  if (ctx->in_dict) {
    if (ctx->dict_has_pairs) ctx->out += ',';
    ctx->dict_has_pairs = true;
    ctx->out.append(SafeName(field)).append("=").append(value);
  } else {
    ctx->out.append(ctx->module->name()).append("_").append(SafeName(field));
    ctx->out.append(":").append(value);
    ctx->out += "\r\n";
  }
  return REDISMODULE_OK;
}

int InfoAddFieldString(RedisModuleInfoCtx* ctx, const char* field, RedisModuleString* value) {
  return AddField(ctx, field, value->view());
}
int InfoAddFieldCString(RedisModuleInfoCtx* ctx, const char* field, const char* value) {
  return AddField(ctx, field, value);
}
int InfoAddFieldDouble(RedisModuleInfoCtx* ctx, const char* field, double value) {
  char text[64];
  const int size = std::snprintf(text, sizeof(text), "%.17g", value);
  return AddField(ctx, field, {text, static_cast<size_t>(size)});
}
int InfoAddFieldLongLong(RedisModuleInfoCtx* ctx, const char* field, long long value) {
  return AddField(ctx, field, std::to_string(value));
}
int InfoAddFieldULongLong(RedisModuleInfoCtx* ctx, const char* field, unsigned long long value) {
  return AddField(ctx, field, std::to_string(value));
}

// --- reading ---

void ParseInfo(std::string_view text, RedisModuleServerInfoData* data) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    data->fields.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
}

RedisModuleServerInfoData* GetServerInfo(RedisModuleCtx* ctx, const char* section) {
  auto* data = new RedisModuleServerInfoData;
  if (ctx != nullptr) ctx->Track(Kind::kInfo, data);
  ModuleHost& host = ctx->host();
  Command* command = host.engine().commands().Find("info");
  if (command == nullptr) return data;
  const std::string_view args[] = {"info", section == nullptr ? "" : section};
  ModuleHost::InternalSession session(host, 0);
  ReplyTape tape;
  host.engine().Call(*session, *command, Args(args, section == nullptr ? 1 : 2), tape,
                     kPropagateNowhere);
  tape.Finish();
  const ReplyTape::Node& node = tape.node(tape.ValueIndex(0));
  if (node.tag == ReplyTape::Tag::kBulk) ParseInfo(tape.text(node), data);
  if (node.tag == ReplyTape::Tag::kVerbatim) ParseInfo(tape.text(node).substr(4), data);
  return data;
}

void FreeServerInfo(RedisModuleCtx* ctx, RedisModuleServerInfoData* data) {
  if (ctx != nullptr && ctx->Has(kCtxAutoMemory)) ctx->Untrack(Kind::kInfo, data);
  delete data;
}

// Null when missing.
const std::string* FieldOf(RedisModuleServerInfoData* data, const char* field) {
  auto it = data->fields.find(std::string_view(field));
  return it == data->fields.end() ? nullptr : &it->second;
}

RedisModuleString* ServerInfoGetField(RedisModuleCtx* ctx, RedisModuleServerInfoData* data,
                                      const char* field) {
  const std::string* text = FieldOf(data, field);
  if (text == nullptr) return nullptr;
  RedisModuleString* string = NewModuleString(*text);
  if (ctx != nullptr) ctx->Track(Kind::kString, string);
  return string;
}

const char* ServerInfoGetFieldC(RedisModuleServerInfoData* data, const char* field) {
  const std::string* text = FieldOf(data, field);
  return text == nullptr ? nullptr : text->c_str();
}

// The parsed number, or 0 and *out_err.
template <class Number, class Parse>
Number FieldAs(RedisModuleServerInfoData* data, const char* field, int* out_err, Parse parse) {
  const std::string* text = FieldOf(data, field);
  auto value = text == nullptr ? decltype(parse(std::string_view()))() : parse(*text);
  if (out_err != nullptr) *out_err = value ? REDISMODULE_OK : REDISMODULE_ERR;
  return value ? static_cast<Number>(*value) : Number{};
}

long long ServerInfoGetFieldSigned(RedisModuleServerInfoData* data, const char* field,
                                   int* out_err) {
  return FieldAs<long long>(data, field, out_err, ParseInt64);
}
unsigned long long ServerInfoGetFieldUnsigned(RedisModuleServerInfoData* data, const char* field,
                                              int* out_err) {
  return FieldAs<unsigned long long>(data, field, out_err, ParseUint64);
}
double ServerInfoGetFieldDouble(RedisModuleServerInfoData* data, const char* field, int* out_err) {
  return FieldAs<double>(data, field, out_err, ParseDouble);
}

}  // namespace

void RegisterInfoApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(RegisterInfoFunc),
      BACKPLANE_API_ROW(InfoAddSection),
      BACKPLANE_API_ROW(InfoBeginDictField),
      BACKPLANE_API_ROW(InfoEndDictField),
      BACKPLANE_API_ROW(InfoAddFieldString),
      BACKPLANE_API_ROW(InfoAddFieldCString),
      BACKPLANE_API_ROW(InfoAddFieldDouble),
      BACKPLANE_API_ROW(InfoAddFieldLongLong),
      BACKPLANE_API_ROW(InfoAddFieldULongLong),
      BACKPLANE_API_ROW(GetServerInfo),
      BACKPLANE_API_ROW(FreeServerInfo),
      BACKPLANE_API_ROW(ServerInfoGetField),
      BACKPLANE_API_ROW(ServerInfoGetFieldC),
      BACKPLANE_API_ROW(ServerInfoGetFieldSigned),
      BACKPLANE_API_ROW(ServerInfoGetFieldUnsigned),
      BACKPLANE_API_ROW(ServerInfoGetFieldDouble),
  };
  table.Add(rows);
}

}  // namespace backplane
