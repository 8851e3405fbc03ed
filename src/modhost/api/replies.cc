// SPDX-License-Identifier: BSD-3-Clause
// API area: replying. Calls go straight to the context's sink.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/call_reply.h"
#include "modhost/context.h"

namespace backplane {
namespace {

int WrongArity(RedisModuleCtx* ctx) {
  const std::string_view name =
      ctx->command != nullptr ? std::string_view(ctx->command->command().fullname) : "";
  ctx->sink->Error(errors::WrongArity(name));
  return REDISMODULE_OK;
}

int ReplyWithLongLong(RedisModuleCtx* ctx, long long ll) {
  ctx->sink->Integer(ll);
  return REDISMODULE_OK;
}

int ReplyWithError(RedisModuleCtx* ctx, const char* err) {
  ctx->sink->Error(err);
  return REDISMODULE_OK;
}

int ReplyWithErrorFormat(RedisModuleCtx* ctx, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  const int size = std::vsnprintf(nullptr, 0, fmt, args);
  va_end(args);
  std::vector<char> text(static_cast<size_t>(size < 0 ? 0 : size) + 1);
  std::vsnprintf(text.data(), text.size(), fmt, again);
  va_end(again);
  ctx->sink->Error(text.data());
  return REDISMODULE_OK;
}

int ReplyWithSimpleString(RedisModuleCtx* ctx, const char* msg) {
  ctx->sink->SimpleString(msg);
  return REDISMODULE_OK;
}

int OpenAggregate(RedisModuleCtx* ctx, AggregateKind kind, long len) {
  if (len == REDISMODULE_POSTPONED_LEN) {
    ctx->deferred.push_back(ctx->sink->BeginDeferred(kind));
  } else {
    ctx->sink->Begin(kind, static_cast<uint64_t>(len < 0 ? 0 : len));
  }
  return REDISMODULE_OK;
}

int ReplyWithArray(RedisModuleCtx* ctx, long len) {
  return OpenAggregate(ctx, AggregateKind::kArray, len);
}
int ReplyWithMap(RedisModuleCtx* ctx, long len) {
  return OpenAggregate(ctx, AggregateKind::kMap, len);
}
int ReplyWithSet(RedisModuleCtx* ctx, long len) {
  return OpenAggregate(ctx, AggregateKind::kSet, len);
}
int ReplyWithAttribute(RedisModuleCtx* ctx, long len) {
  if (ctx->sink->resp() < 3) return REDISMODULE_ERR;
  return OpenAggregate(ctx, AggregateKind::kAttribute, len);
}
int ReplyWithNullArray(RedisModuleCtx* ctx) {
  ctx->sink->NullArray();
  return REDISMODULE_OK;
}
int ReplyWithEmptyArray(RedisModuleCtx* ctx) {
  ctx->sink->BeginArray(0);
  return REDISMODULE_OK;
}

// The innermost open aggregate of this kind gets its length. One of another kind is a module's
// mistake and is left alone, as in the field.
void SetLength(RedisModuleCtx* ctx, AggregateKind kind, long len) {
  if (ctx->deferred.empty() || ctx->deferred.back().kind != kind) return;
  ctx->sink->EndDeferred(ctx->deferred.back(), static_cast<uint64_t>(len < 0 ? 0 : len));
  ctx->deferred.pop_back();
}
void ReplySetArrayLength(RedisModuleCtx* ctx, long len) {
  SetLength(ctx, AggregateKind::kArray, len);
}
void ReplySetMapLength(RedisModuleCtx* ctx, long len) { SetLength(ctx, AggregateKind::kMap, len); }
void ReplySetSetLength(RedisModuleCtx* ctx, long len) { SetLength(ctx, AggregateKind::kSet, len); }
void ReplySetAttributeLength(RedisModuleCtx* ctx, long len) {
  SetLength(ctx, AggregateKind::kAttribute, len);
}

int ReplyWithStringBuffer(RedisModuleCtx* ctx, const char* buf, size_t len) {
  ctx->sink->Bulk({buf, len});
  return REDISMODULE_OK;
}
int ReplyWithCString(RedisModuleCtx* ctx, const char* buf) {
  ctx->sink->Bulk(buf);
  return REDISMODULE_OK;
}
int ReplyWithString(RedisModuleCtx* ctx, RedisModuleString* str) {
  ctx->sink->Bulk(str->view());
  return REDISMODULE_OK;
}
int ReplyWithEmptyString(RedisModuleCtx* ctx) {
  ctx->sink->Bulk("");
  return REDISMODULE_OK;
}
int ReplyWithVerbatimStringType(RedisModuleCtx* ctx, const char* buf, size_t len, const char* ext) {
  ctx->sink->Verbatim(ext, {buf, len});
  return REDISMODULE_OK;
}
int ReplyWithVerbatimString(RedisModuleCtx* ctx, const char* buf, size_t len) {
  return ReplyWithVerbatimStringType(ctx, buf, len, "txt");
}
int ReplyWithNull(RedisModuleCtx* ctx) {
  ctx->sink->Null();
  return REDISMODULE_OK;
}
int ReplyWithBool(RedisModuleCtx* ctx, int b) {
  ctx->sink->Bool(b != 0);
  return REDISMODULE_OK;
}
int ReplyWithDouble(RedisModuleCtx* ctx, double d) {
  ctx->sink->Double(d);
  return REDISMODULE_OK;
}
int ReplyWithBigNumber(RedisModuleCtx* ctx, const char* bignum, size_t len) {
  ctx->sink->BigNumber({bignum, len});
  return REDISMODULE_OK;
}
int ReplyWithLongDouble(RedisModuleCtx* ctx, long double d) {
  char text[kLongDoubleTextMax];
  const std::string_view digits(text, LongDoubleToText(d, text));
  if (ctx->sink->resp() < 3) {
    ctx->sink->Bulk(digits);
  } else {
    // A double of more digits than the sink's own have.
    ctx->sink->RawProtocol("," + std::string(digits) + "\r\n");
  }
  return REDISMODULE_OK;
}

int ReplyWithCallReply(RedisModuleCtx* ctx, RedisModuleCallReply* reply) {
  const CallReplyRoot& root = *reply->root;
  const int resp = ctx->sink->resp();
  if (root.resp3() && resp < 3) return REDISMODULE_ERR;
  const size_t index = reply->attribute != UINT32_MAX ? reply->attribute : reply->node;
  // What was asked for as RESP2 is passed on as RESP2 whatever the client speaks.
  if (!root.resp3()) ctx->sink->set_resp(2);
  reply->root->tape().CopyTo(index, *ctx->sink);
  ctx->sink->set_resp(resp);
  return REDISMODULE_OK;
}

}  // namespace

void RegisterReplyApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(WrongArity),
      BACKPLANE_API_ROW(ReplyWithLongLong),
      BACKPLANE_API_ROW(ReplyWithError),
      BACKPLANE_API_ROW(ReplyWithErrorFormat),
      BACKPLANE_API_ROW(ReplyWithSimpleString),
      BACKPLANE_API_ROW(ReplyWithArray),
      BACKPLANE_API_ROW(ReplyWithMap),
      BACKPLANE_API_ROW(ReplyWithSet),
      BACKPLANE_API_ROW(ReplyWithAttribute),
      BACKPLANE_API_ROW(ReplyWithNullArray),
      BACKPLANE_API_ROW(ReplyWithEmptyArray),
      BACKPLANE_API_ROW(ReplySetArrayLength),
      BACKPLANE_API_ROW(ReplySetMapLength),
      BACKPLANE_API_ROW(ReplySetSetLength),
      BACKPLANE_API_ROW(ReplySetAttributeLength),
      BACKPLANE_API_ROW(ReplyWithStringBuffer),
      BACKPLANE_API_ROW(ReplyWithCString),
      BACKPLANE_API_ROW(ReplyWithString),
      BACKPLANE_API_ROW(ReplyWithEmptyString),
      BACKPLANE_API_ROW(ReplyWithVerbatimStringType),
      BACKPLANE_API_ROW(ReplyWithVerbatimString),
      BACKPLANE_API_ROW(ReplyWithNull),
      BACKPLANE_API_ROW(ReplyWithBool),
      BACKPLANE_API_ROW(ReplyWithDouble),
      BACKPLANE_API_ROW(ReplyWithBigNumber),
      BACKPLANE_API_ROW(ReplyWithLongDouble),
      BACKPLANE_API_ROW(ReplyWithCallReply),
  };
  table.Add(rows);
}

}  // namespace backplane
