// SPDX-License-Identifier: BSD-3-Clause
// CallReplyRoot: handles of elements; CallReplyPool.
#include "modhost/call_reply.h"

#include "modhost/host_lock.h"

namespace backplane {

void CallReplyRoot::Ready(RedisModuleCtx* ctx, bool resp3) {
  ctx_ = ctx;
  resp3_ = resp3;
  top_.node = static_cast<uint32_t>(tape_.ValueIndex(0));
  top_.attribute = top_.node == 0 ? UINT32_MAX : 0;
}

void CallReplyRoot::Reset() {
  tape_.Clear();
  top_.children = nullptr;
  is_promise_ = false;
  promise_ = nullptr;
  room_used_ = 0;
  if (!blocks_.empty()) blocks_.clear();
  if (!kept_.empty()) kept_.clear();
}

RedisModuleCallReply* CallReplyRoot::AllocateHandles(size_t count) {
  if (count <= kHandleRoom) {
    if (room_ == nullptr) room_ = std::make_unique<RedisModuleCallReply[]>(kHandleRoom);
    if (kHandleRoom - room_used_ >= count) {
      RedisModuleCallReply* handles = &room_[room_used_];
      room_used_ += count;
      return handles;
    }
  }
  blocks_.push_back(std::make_unique<RedisModuleCallReply[]>(count));
  return blocks_.back().get();
}

RedisModuleCallReply* CallReplyRoot::Children(RedisModuleCallReply* reply) {
  if (reply->children != nullptr) return reply->children;
  const ReplyTape::Node& parent = tape_.node(reply->node);
  const size_t count = ReplyTape::ChildCount(parent);
  if (count == 0) return nullptr;
  RedisModuleCallReply* handles = AllocateHandles(count);
  size_t index = reply->node + 1;
  for (size_t i = 0; i < count; ++i) {
    const size_t value = tape_.ValueIndex(index);
    handles[i].root = this;
    handles[i].node = static_cast<uint32_t>(value);
    handles[i].attribute = value == index ? UINT32_MAX : static_cast<uint32_t>(index);
    handles[i].children = nullptr;
    index = tape_.node(value).end;
  }
  reply->children = handles;
  return handles;
}

CallReplyRoot* CallReplyPool::Take() {
  if (free_.empty()) return new CallReplyRoot;
  CallReplyRoot* root = free_.back().release();
  free_.pop_back();
  return root;
}

void CallReplyPool::Give(CallReplyRoot* root) {
  if (!lock_->OnEngineThread() || free_.size() >= kKeptMax) {
    delete root;
    return;
  }
  root->Reset();
  free_.emplace_back(root);
}

}  // namespace backplane
