// SPDX-License-Identifier: BSD-3-Clause
// API area: reading what Call returned. A reply that was not asked for as RESP3 is read in the
// terms of RESP2, whatever stands on the tape.
#include <bit>
#include <climits>
#include <string>

#include "base/numbers.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/call_reply.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "resp/resp_encoder.h"

namespace backplane {
namespace {

using Tag = ReplyTape::Tag;

const ReplyTape::Node& NodeOf(const RedisModuleCallReply* reply) {
  return reply->root->tape().node(reply->node);
}
bool Resp3(const RedisModuleCallReply* reply) { return reply->root->resp3(); }

int TypeOf(const RedisModuleCallReply* reply) {
  const bool resp3 = Resp3(reply);
  switch (NodeOf(reply).tag) {
    case Tag::kSimpleString:
    case Tag::kBulk:
      return REDISMODULE_REPLY_STRING;
    case Tag::kError:
      return REDISMODULE_REPLY_ERROR;
    case Tag::kInteger:
      return REDISMODULE_REPLY_INTEGER;
    case Tag::kNull:
      return reply->root->is_promise() ? REDISMODULE_REPLY_PROMISE : REDISMODULE_REPLY_NULL;
    case Tag::kNullArray:
      return REDISMODULE_REPLY_NULL;
    case Tag::kDouble:
      return resp3 ? REDISMODULE_REPLY_DOUBLE : REDISMODULE_REPLY_STRING;
    case Tag::kBool:
      return resp3 ? REDISMODULE_REPLY_BOOL : REDISMODULE_REPLY_INTEGER;
    case Tag::kBigNumber:
      return resp3 ? REDISMODULE_REPLY_BIG_NUMBER : REDISMODULE_REPLY_STRING;
    case Tag::kVerbatim:
      return resp3 ? REDISMODULE_REPLY_VERBATIM_STRING : REDISMODULE_REPLY_STRING;
    case Tag::kArray:
    case Tag::kPush:
      return REDISMODULE_REPLY_ARRAY;
    case Tag::kMap:
      return resp3 ? REDISMODULE_REPLY_MAP : REDISMODULE_REPLY_ARRAY;
    case Tag::kSet:
      return resp3 ? REDISMODULE_REPLY_SET : REDISMODULE_REPLY_ARRAY;
    case Tag::kAttribute:
      return REDISMODULE_REPLY_ATTRIBUTE;
  }
  return REDISMODULE_REPLY_UNKNOWN;
}

int CallReplyType(RedisModuleCallReply* reply) {
  return reply == nullptr ? REDISMODULE_REPLY_UNKNOWN : TypeOf(reply);
}

// Text of a reply that is text to the reader; null data when it is none.
std::string_view TextOf(RedisModuleCallReply* reply) {
  const ReplyTape::Node& node = NodeOf(reply);
  const ReplyTape& tape = reply->root->tape();
  switch (node.tag) {
    case Tag::kSimpleString:
    case Tag::kBulk:
    case Tag::kError:
      return tape.text(node);
    case Tag::kVerbatim:
      return Resp3(reply) ? std::string_view() : tape.text(node).substr(4);
    case Tag::kBigNumber:
      return Resp3(reply) ? std::string_view() : tape.text(node);
    case Tag::kDouble:
      if (Resp3(reply)) return {};
      return reply->root->Keep(DoubleToString(std::bit_cast<double>(node.payload)));
    default:
      return {};
  }
}

const char* CallReplyStringPtr(RedisModuleCallReply* reply, size_t* len) {
  if (reply == nullptr) return nullptr;
  const ReplyTape::Node& node = NodeOf(reply);
  std::string_view text = node.tag == Tag::kBulk ? reply->root->tape().text(node) : TextOf(reply);
  if (len != nullptr) *len = text.size();
  return text.data();
}

size_t CallReplyLength(RedisModuleCallReply* reply) {
  if (reply == nullptr) return 0;
  const ReplyTape::Node& node = NodeOf(reply);
  if (ReplyTape::IsAggregate(node.tag)) {
    const bool in_pairs = node.tag == Tag::kAttribute || (node.tag == Tag::kMap && Resp3(reply));
    return in_pairs ? node.length : ReplyTape::ChildCount(node);
  }
  if (node.tag == Tag::kVerbatim) return node.length - 4;
  return TextOf(reply).size();
}

RedisModuleCallReply* ChildAt(RedisModuleCallReply* reply, size_t index) {
  if (index >= ReplyTape::ChildCount(NodeOf(reply))) return nullptr;
  return &reply->root->Children(reply)[index];
}

RedisModuleCallReply* CallReplyArrayElement(RedisModuleCallReply* reply, size_t idx) {
  if (reply == nullptr) return nullptr;
  if (NodeOf(reply).tag != Tag::kArray && TypeOf(reply) != REDISMODULE_REPLY_ARRAY) return nullptr;
  return ChildAt(reply, idx);
}

RedisModuleCallReply* CallReplySetElement(RedisModuleCallReply* reply, size_t idx) {
  if (CallReplyType(reply) != REDISMODULE_REPLY_SET) return nullptr;
  return ChildAt(reply, idx);
}

int PairAt(RedisModuleCallReply* reply, size_t idx, RedisModuleCallReply** key,
           RedisModuleCallReply** val) {
  if (idx >= NodeOf(reply).length) return REDISMODULE_ERR;
  if (key != nullptr) *key = ChildAt(reply, 2 * idx);
  if (val != nullptr) *val = ChildAt(reply, 2 * idx + 1);
  return REDISMODULE_OK;
}

int CallReplyMapElement(RedisModuleCallReply* reply, size_t idx, RedisModuleCallReply** key,
                        RedisModuleCallReply** val) {
  if (CallReplyType(reply) != REDISMODULE_REPLY_MAP) return REDISMODULE_ERR;
  return PairAt(reply, idx, key, val);
}

RedisModuleCallReply* CallReplyAttribute(RedisModuleCallReply* reply) {
  if (reply == nullptr || reply->attribute == UINT32_MAX) return nullptr;
  return reply->root->HandleFor(reply->attribute);
}

int CallReplyAttributeElement(RedisModuleCallReply* reply, size_t idx, RedisModuleCallReply** key,
                              RedisModuleCallReply** val) {
  if (reply == nullptr || NodeOf(reply).tag != Tag::kAttribute) return REDISMODULE_ERR;
  return PairAt(reply, idx, key, val);
}

long long CallReplyInteger(RedisModuleCallReply* reply) {
  if (CallReplyType(reply) != REDISMODULE_REPLY_INTEGER) return LLONG_MIN;
  return static_cast<long long>(NodeOf(reply).payload);
}

double CallReplyDouble(RedisModuleCallReply* reply) {
  if (reply == nullptr) return 0;
  const ReplyTape::Node& node = NodeOf(reply);
  return node.tag == Tag::kDouble ? std::bit_cast<double>(node.payload) : 0;
}

int CallReplyBool(RedisModuleCallReply* reply) {
  if (reply == nullptr) return 0;
  return NodeOf(reply).tag == Tag::kBool && NodeOf(reply).payload != 0 ? 1 : 0;
}

const char* CallReplyBigNumber(RedisModuleCallReply* reply, size_t* len) {
  if (CallReplyType(reply) != REDISMODULE_REPLY_BIG_NUMBER) return nullptr;
  std::string_view text = reply->root->tape().text(NodeOf(reply));
  if (len != nullptr) *len = text.size();
  return text.data();
}

const char* CallReplyVerbatim(RedisModuleCallReply* reply, size_t* len, const char** format) {
  if (CallReplyType(reply) != REDISMODULE_REPLY_VERBATIM_STRING) return nullptr;
  std::string_view text = reply->root->tape().text(NodeOf(reply));
  if (format != nullptr) *format = text.data();
  if (len != nullptr) *len = text.size() - 4;
  return text.data() + 4;
}

RedisModuleString* CreateStringFromCallReply(RedisModuleCallReply* reply) {
  RedisModuleString* string = nullptr;
  if (reply == nullptr) return nullptr;
  if (CallReplyType(reply) == REDISMODULE_REPLY_INTEGER) {
    char text[kNumberTextMax];
    string = NewModuleString({text, Int64ToText(CallReplyInteger(reply), text)});
  } else {
    std::string_view text = TextOf(reply);
    if (text.data() == nullptr) return nullptr;
    string = NewModuleString(text);
  }
  // Without automatic memory the string is the caller's.
  if (RedisModuleCtx* ctx = reply->root->ctx()) ctx->Track(RedisModuleCtx::Kind::kString, string);
  return string;
}

const char* CallReplyProto(RedisModuleCallReply* reply, size_t* len) {
  if (reply == nullptr) return nullptr;
  OutputBuffer buffer;
  RespEncoder encoder(&buffer);
  encoder.set_resp(Resp3(reply) ? 3 : 2);
  const size_t index = reply->attribute != UINT32_MAX ? reply->attribute : reply->node;
  reply->root->tape().CopyTo(index, encoder);
  std::string bytes;
  while (!buffer.empty()) {
    iovec pieces[8];
    const int count = buffer.Gather(pieces, 8);
    size_t size = 0;
    for (int i = 0; i < count; ++i) {
      bytes.append(static_cast<char*>(pieces[i].iov_base), pieces[i].iov_len);
      size += pieces[i].iov_len;
    }
    buffer.Consume(size);
  }
  std::string_view kept = reply->root->Keep(std::move(bytes));
  if (len != nullptr) *len = kept.size();
  return kept.data();
}

}  // namespace

void RegisterCallReplyApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CallReplyType),       BACKPLANE_API_ROW(CallReplyStringPtr),
      BACKPLANE_API_ROW(CallReplyLength),     BACKPLANE_API_ROW(CallReplyArrayElement),
      BACKPLANE_API_ROW(CallReplySetElement), BACKPLANE_API_ROW(CallReplyMapElement),
      BACKPLANE_API_ROW(CallReplyAttribute),  BACKPLANE_API_ROW(CallReplyAttributeElement),
      BACKPLANE_API_ROW(CallReplyInteger),    BACKPLANE_API_ROW(CallReplyDouble),
      BACKPLANE_API_ROW(CallReplyBool),       BACKPLANE_API_ROW(CallReplyBigNumber),
      BACKPLANE_API_ROW(CallReplyVerbatim),   BACKPLANE_API_ROW(CreateStringFromCallReply),
      BACKPLANE_API_ROW(CallReplyProto),
  };
  table.Add(rows);
}

}  // namespace backplane
