// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleCallReply: the reply of RM_Call, read in place from a ReplyTape. A handle is {root,
// node}; the root (pooled) owns the tape and the handles of its elements, which are made for a
// whole aggregate when its first element is asked for. Seen as RESP2 unless the call asked for
// RESP3: maps are arrays of twice as many elements, doubles are text, and so on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resp/reply_tape.h"

struct RedisModuleCtx;
namespace backplane {
class CallReplyRoot;
}

struct RedisModuleCallReply {
  backplane::CallReplyRoot* root = nullptr;
  uint32_t node = 0;                         // of the value
  uint32_t attribute = UINT32_MAX;           // node of the attribute in front of it
  RedisModuleCallReply* children = nullptr;  // all of them, once one was asked for
};

namespace backplane {

class HostLock;
class PromisedCall;

class CallReplyRoot {
 public:
  CallReplyRoot() { top_.root = this; }
  CallReplyRoot(const CallReplyRoot&) = delete;
  CallReplyRoot& operator=(const CallReplyRoot&) = delete;

  ReplyTape& tape() { return tape_; }
  RedisModuleCallReply* top() { return &top_; }
  // The tape is complete: handles may be given out.
  void Ready(RedisModuleCtx* ctx, bool resp3);
  void Reset();
  // Null for a reply that no callback's end frees.
  RedisModuleCtx* ctx() const { return ctx_; }
  // The call that this is the promise of; null once it has ended, and for replies.
  PromisedCall* promise() const { return promise_; }
  bool is_promise() const { return is_promise_; }
  void set_promise(PromisedCall* call) {
    promise_ = call;
    is_promise_ = true;
  }
  bool resp3() const { return resp3_; }

  // Handles of the elements of an aggregate.
  RedisModuleCallReply* Children(RedisModuleCallReply* reply);
  // A handle of its own for one node: an attribute.
  RedisModuleCallReply* HandleFor(uint32_t node) {
    RedisModuleCallReply* handle = AllocateHandles(1);
    *handle = {this, node, UINT32_MAX, nullptr};
    return handle;
  }
  // Text that is made on request (a double as a string); lives as long as the reply.
  std::string_view Keep(std::string text) { return kept_.emplace_back(std::move(text)); }

 private:
  friend class CallReplyPool;
  static constexpr size_t kHandleRoom = 64;
  RedisModuleCallReply* AllocateHandles(size_t count);

  ReplyTape tape_;
  RedisModuleCallReply top_;
  RedisModuleCtx* ctx_ = nullptr;
  bool resp3_ = false;
  bool is_promise_ = false;
  PromisedCall* promise_ = nullptr;
  // Handles of small replies stand here and cost nothing; larger ones get blocks.
  std::unique_ptr<RedisModuleCallReply[]> room_;
  size_t room_used_ = 0;
  std::vector<std::unique_ptr<RedisModuleCallReply[]>> blocks_;
  std::deque<std::string> kept_;
};

// Roots to reuse. Take needs the host lock, Give may come from any thread.
class CallReplyPool {
 public:
  explicit CallReplyPool(const HostLock* lock) : lock_(lock) {}
  CallReplyRoot* Take();
  void Give(CallReplyRoot* root);

 private:
  static constexpr size_t kKeptMax = 64;
  const HostLock* lock_;
  std::vector<std::unique_ptr<CallReplyRoot>> free_;
};

}  // namespace backplane
