// SPDX-License-Identifier: BSD-3-Clause
// API area: RedisModuleString.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/string.h"
#include "value/stream_id.h"

namespace backplane {
namespace {

using Kind = RedisModuleCtx::Kind;

RedisModuleString* Track(RedisModuleCtx* ctx, RedisModuleString* string) {
  if (ctx != nullptr) ctx->Track(Kind::kString, string);
  return string;
}

RedisModuleString* CreateString(RedisModuleCtx* ctx, const char* ptr, size_t len) {
  if (ptr != nullptr) return Track(ctx, NewModuleString({ptr, len}));
  RedisModuleString* string = NewModuleStringOfSize(len);
  std::memset(const_cast<char*>(string->data), 0, len);
  return Track(ctx, string);
}

RedisModuleString* CreateStringPrintf(RedisModuleCtx* ctx, const char* fmt, ...) {
  // Most texts are short: one pass over the format and one allocation of the right size.
  char small[256];
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  const int size = std::vsnprintf(small, sizeof(small), fmt, args);
  va_end(args);
  RedisModuleString* string;
  if (size < 0) {
    string = NewModuleString("");
  } else if (static_cast<size_t>(size) < sizeof(small)) {
    string = NewModuleString({small, static_cast<size_t>(size)});
  } else {
    string = NewModuleStringOfSize(static_cast<size_t>(size));
    std::vsnprintf(const_cast<char*>(string->data), static_cast<size_t>(size) + 1, fmt, again);
  }
  va_end(again);
  return Track(ctx, string);
}

RedisModuleString* CreateStringFromLongLong(RedisModuleCtx* ctx, long long ll) {
  char text[kNumberTextMax];
  return Track(ctx, NewModuleString({text, Int64ToText(ll, text)}));
}

RedisModuleString* CreateStringFromULongLong(RedisModuleCtx* ctx, unsigned long long ull) {
  char text[kNumberTextMax];
  return Track(ctx, NewModuleString({text, Uint64ToText(ull, text)}));
}

RedisModuleString* CreateStringFromDouble(RedisModuleCtx* ctx, double d) {
  char text[kNumberTextMax];
  return Track(ctx, NewModuleString({text, DoubleToText(d, text)}));
}

RedisModuleString* CreateStringFromLongDouble(RedisModuleCtx* ctx, long double ld,
                                              int humanfriendly) {
  char text[kLongDoubleTextMax];
  size_t size;
  if (humanfriendly != 0) {
    size = LongDoubleToText(ld, text);
  } else {
    size = static_cast<size_t>(std::snprintf(text, sizeof(text), "%.17Lg", ld));
  }
  return Track(ctx, NewModuleString({text, size}));
}

RedisModuleString* CreateStringFromString(RedisModuleCtx* ctx, const RedisModuleString* str) {
  return Track(ctx, NewModuleString(str->view()));
}

void FreeString(RedisModuleCtx* ctx, RedisModuleString* str) {
  if (str == nullptr) return;
  if (ctx != nullptr && ctx->Has(kCtxAutoMemory)) ctx->Untrack(Kind::kString, str);
  ReleaseModuleString(str);
}

void RetainString(RedisModuleCtx* ctx, RedisModuleString* str) {
  // A string that the context would free just passes to the module.
  if (ctx != nullptr && ctx->Has(kCtxAutoMemory) && ctx->Untrack(Kind::kString, str)) return;
  RetainModuleString(str);
}

RedisModuleString* HoldString(RedisModuleCtx* ctx, RedisModuleString* str) {
  RetainModuleString(str);
  return Track(ctx, str);
}

const char* StringPtrLen(const RedisModuleString* str, size_t* len) {
  if (str == nullptr) {
    // As in the field: a text that says what went wrong rather than a crash.
    constexpr std::string_view kNull = "(NULL string reply referenced in module)";
    if (len != nullptr) *len = kNull.size();
    return kNull.data();
  }
  OwnBytes(const_cast<RedisModuleString*>(str));
  if (len != nullptr) *len = str->size;
  return str->data;
}

int StringToLongLong(const RedisModuleString* str, long long* ll) {
  auto value = ParseInt64(str->view());
  if (!value) return REDISMODULE_ERR;
  *ll = *value;
  return REDISMODULE_OK;
}

RedisModuleString* CreateStringFromStreamID(RedisModuleCtx* ctx, const RedisModuleStreamID* id) {
  return Track(ctx, NewModuleString(StreamId{id->ms, id->seq}.ToString()));
}

int StringToStreamID(const RedisModuleString* str, RedisModuleStreamID* id) {
  const std::string_view text = str->view();
  std::optional<StreamId> parsed;
  if (text == "-") {
    parsed = kStreamIdMin;
  } else if (text == "+") {
    parsed = kStreamIdMax;
  } else {
    parsed = ParseStreamId(text, 0);
  }
  if (!parsed) return REDISMODULE_ERR;
  *id = {parsed->ms, parsed->seq};
  return REDISMODULE_OK;
}

int StringToULongLong(const RedisModuleString* str, unsigned long long* ull) {
  auto value = ParseUint64(str->view());
  if (!value) return REDISMODULE_ERR;
  *ull = *value;
  return REDISMODULE_OK;
}

int StringToDouble(const RedisModuleString* str, double* d) {
  auto value = ParseDouble(str->view());
  if (!value) return REDISMODULE_ERR;
  *d = *value;
  return REDISMODULE_OK;
}

int StringToLongDouble(const RedisModuleString* str, long double* ld) {
  auto value = ParseLongDouble(str->view());
  if (!value) return REDISMODULE_ERR;
  *ld = *value;
  return REDISMODULE_OK;
}

int StringCompare(const RedisModuleString* a, const RedisModuleString* b) {
  const int order = a->view().compare(b->view());
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int StringAppendBuffer(RedisModuleCtx* ctx, RedisModuleString* str, const char* buf, size_t len) {
  return AppendToModuleString(str, {buf, len}) ? REDISMODULE_OK : REDISMODULE_ERR;
}

void TrimStringAllocation(RedisModuleString* str) {
  if (str == nullptr) return;
  OwnBytes(str);
  if (str->storage != RedisModuleString::Storage::kHeap || str->capacity == str->size + 1) return;
  if (auto* block = std::realloc(const_cast<char*>(str->data), str->size + 1)) {
    str->data = static_cast<char*>(block);
    str->capacity = str->size + 1;
  }
}

}  // namespace

void RegisterStringApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateString),
      BACKPLANE_API_ROW(CreateStringPrintf),
      BACKPLANE_API_ROW(CreateStringFromLongLong),
      BACKPLANE_API_ROW(CreateStringFromULongLong),
      BACKPLANE_API_ROW(CreateStringFromDouble),
      BACKPLANE_API_ROW(CreateStringFromLongDouble),
      BACKPLANE_API_ROW(CreateStringFromString),
      BACKPLANE_API_ROW(CreateStringFromStreamID),
      BACKPLANE_API_ROW(FreeString),
      BACKPLANE_API_ROW(RetainString),
      BACKPLANE_API_ROW(HoldString),
      BACKPLANE_API_ROW(StringPtrLen),
      BACKPLANE_API_ROW(StringToLongLong),
      BACKPLANE_API_ROW(StringToULongLong),
      BACKPLANE_API_ROW(StringToStreamID),
      BACKPLANE_API_ROW(StringToDouble),
      BACKPLANE_API_ROW(StringToLongDouble),
      BACKPLANE_API_ROW(StringCompare),
      BACKPLANE_API_ROW(StringAppendBuffer),
      BACKPLANE_API_ROW(TrimStringAllocation),
  };
  table.Add(rows);
}

}  // namespace backplane
