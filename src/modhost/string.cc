// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleString: making, sharing, growing.
#include "modhost/string.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"
#include "base/memory_info.h"

namespace backplane {
namespace {

// Room behind an argument's header: most keys and fields fit, so owning them allocates nothing.
constexpr size_t kArgumentRoom = 56;

void* AllocateOrDie(size_t size) {
  void* p = std::malloc(size);
  if (p == nullptr) std::abort();
  return p;
}

ModuleString* NewHeader(size_t room) {
  auto* s = static_cast<ModuleString*>(AllocateOrDie(sizeof(ModuleString) + room));
  new (&s->refs) std::atomic<uint32_t>(1);
  s->capacity = room;
  return s;
}

void FreeBytes(ModuleString* s) {
  if (s->storage == ModuleString::Storage::kHeap) std::free(const_cast<char*>(s->data));
}

}  // namespace

ModuleString* NewModuleStringOfSize(size_t size) {
  ModuleString* s = NewHeader(size + 1);
  s->storage = ModuleString::Storage::kInline;
  s->data = s->room();
  s->size = size;
  s->room()[size] = '\0';
  return s;
}

ModuleString* NewModuleString(std::string_view bytes) {
  ModuleString* s = NewModuleStringOfSize(bytes.size());
  if (!bytes.empty()) std::memcpy(s->room(), bytes.data(), bytes.size());
  return s;
}

void RetainModuleString(ModuleString* string) {
  OwnBytes(string);
  string->refs.fetch_add(1, std::memory_order_relaxed);
}

void ReleaseModuleString(ModuleString* string) {
  // The last holder needs no atomic read-modify-write.
  if (string->refs.load(std::memory_order_acquire) != 1 &&
      string->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  FreeBytes(string);
  std::free(string);
}

void OwnBytes(ModuleString* string) {
  if (string->storage != ModuleString::Storage::kView) return;
  const char* from = string->data;
  char* to;
  if (string->size < kArgumentRoom) {
    to = string->room();
    string->storage = ModuleString::Storage::kInline;
    string->capacity = kArgumentRoom;
  } else {
    to = static_cast<char*>(AllocateOrDie(string->size + 1));
    string->storage = ModuleString::Storage::kHeap;
    string->capacity = string->size + 1;
  }
  if (string->size > 0) std::memcpy(to, from, string->size);
  to[string->size] = '\0';
  string->data = to;
}

bool AppendToModuleString(ModuleString* string, std::string_view bytes) {
  if (string->refs.load(std::memory_order_acquire) != 1) return false;
  OwnBytes(string);
  const size_t size = string->size + bytes.size();
  if (size + 1 > string->capacity) {
    const size_t capacity = size + std::min(size, size_t{1} << 20) + 1;
    char* block;
    if (string->storage == ModuleString::Storage::kHeap) {
      block = static_cast<char*>(std::realloc(const_cast<char*>(string->data), capacity));
      if (block == nullptr) std::abort();
    } else {
      block = static_cast<char*>(AllocateOrDie(capacity));
      std::memcpy(block, string->data, string->size);
    }
    string->storage = ModuleString::Storage::kHeap;
    string->capacity = capacity;
    string->data = block;
  }
  char* to = const_cast<char*>(string->data);
  if (!bytes.empty()) std::memcpy(to + string->size, bytes.data(), bytes.size());
  to[size] = '\0';
  string->size = size;
  return true;
}

size_t ModuleStringMemory(const ModuleString& string) {
  size_t bytes = UsableSize(const_cast<ModuleString*>(&string));
  if (string.storage == ModuleString::Storage::kHeap) {
    bytes += UsableSize(const_cast<char*>(string.data));
  }
  return bytes;
}

ModuleString* StringPool::Make(std::string_view bytes) {
  ModuleString* s = NewHeader(kArgumentRoom);
  s->storage = ModuleString::Storage::kView;
  s->data = bytes.data();
  s->size = bytes.size();
  return s;
}

void StringPool::Give(ModuleString* string) {
  if (string->refs.load(std::memory_order_acquire) != 1) [[unlikely]] {
    ReleaseModuleString(string);
    return;
  }
  FreeBytes(string);
  if (free_.size() >= kKeptMax) {
    std::free(string);
    return;
  }
  string->storage = ModuleString::Storage::kView;
  free_.push_back(string);
}

StringPool::~StringPool() {
  for (ModuleString* string : free_) std::free(string);
}

ArgumentStrings::ArgumentStrings(StringPool& pool, std::span<const std::string_view> args)
    : pool_(pool), count_(args.size()), strings_(on_stack_) {
  if (count_ > kOnStack) {
    many_.resize(count_);
    strings_ = many_.data();
  }
  for (size_t i = 0; i < count_; ++i) strings_[i] = pool.Take(args[i]);
}

ArgumentStrings::~ArgumentStrings() {
  for (size_t i = 0; i < count_; ++i) pool_.Give(strings_[i]);
}

}  // namespace backplane
