// SPDX-License-Identifier: BSD-3-Clause
// Entry allocation and layout; see entry.h for the grammar.
#include "keyspace/entry.h"

#include <bit>
#include <cstdlib>
#include <new>

#include "base/numbers.h"

namespace backplane {
namespace {

size_t KeyBytes(std::string_view key) { return key.size() < 0xffff ? key.size() : key.size() + 8; }

}  // namespace

size_t EntryBuilder::AllocationSize(size_t n) {
  if (n <= 16) return 16;
  if (n <= 128) return (n + 15) & ~size_t{15};
  // Four classes per doubling.
  size_t spacing = std::bit_floor(n - 1) / 4;
  return (n + spacing - 1) & ~(spacing - 1);
}

size_t EntryBuilder::LayoutSize(const Entry& entry) {
  std::string_view k = entry.key();
  return static_cast<size_t>(k.data() + k.size() - entry.bytes()) + entry.inline_size_;
}

StringBlock* EntryBuilder::NewBlock(size_t size, size_t capacity) {
  auto* block = static_cast<StringBlock*>(std::malloc(sizeof(StringBlock) + capacity));
  BP_ASSERT(block != nullptr);
  block->size = size;
  block->capacity = capacity;
  return block;
}

void EntryBuilder::FreeBlock(StringBlock* block) { std::free(block); }

StringBlock* EntryBuilder::ResizeBlock(StringBlock* block, size_t capacity) {
  auto* resized = static_cast<StringBlock*>(std::realloc(block, sizeof(StringBlock) + capacity));
  BP_ASSERT(resized != nullptr);
  resized->capacity = capacity;
  return resized;
}

EntryBuilder::Content EntryBuilder::ForString(std::string_view bytes) {
  if (bytes.size() <= 20) {
    if (auto number = ParseInt64(bytes)) {
      return Content{.kind = Content::Kind::kInteger, .integer = *number};
    }
  }
  return ForText(bytes);
}

EntryBuilder::Content EntryBuilder::ForText(std::string_view bytes) {
  if (bytes.size() <= Entry::kInlineMax) {
    return Content{.kind = Content::Kind::kBytes, .bytes = bytes};
  }
  Content content{.kind = Content::Kind::kBlock};
  content.block = NewBlock(bytes.size(), bytes.size());
  std::memcpy(content.block->data(), bytes.data(), bytes.size());
  return content;
}

EntryBuilder::Content EntryBuilder::ForValue(std::unique_ptr<Value> value) {
  TypeId type = value->type().id();
  return Content{.kind = Content::Kind::kValue, .value = value.release(), .type = type};
}

namespace {

constexpr bool NeedsSlot(EntryBuilder::Content::Kind kind) {
  return kind != EntryBuilder::Content::Kind::kBytes;
}

}  // namespace

Entry* EntryBuilder::New(std::string_view key, const Content& content, int64_t expire_ms,
                         uint32_t access) {
  using Kind = Content::Kind;
  auto flags = static_cast<uint8_t>((NeedsSlot(content.kind) ? Entry::kHasSlot : 0) |
                                    (expire_ms >= 0 ? Entry::kHasExpire : 0));
  size_t inline_size = content.kind == Kind::kBytes ? content.bytes.size() : 0;
  size_t size = Entry::KeyOffset(flags) + KeyBytes(key) + inline_size;
  void* memory = std::malloc(AllocationSize(size));
  BP_ASSERT(memory != nullptr);
  auto* entry = static_cast<Entry*>(memory);
  entry->flags_ = flags;
  entry->access_ = access & Entry::kAccessMask;
  if (expire_ms >= 0) {
    std::memcpy(entry->bytes() + Entry::ExpireOffset(flags), &expire_ms, sizeof(expire_ms));
  }
  char* p = entry->bytes() + Entry::KeyOffset(flags);
  if (key.size() < Entry::kLongKey) {
    entry->key_size_ = static_cast<uint16_t>(key.size());
  } else {
    entry->key_size_ = Entry::kLongKey;
    uint64_t real = key.size();
    std::memcpy(p, &real, sizeof(real));
    p += sizeof(real);
  }
  std::memcpy(p, key.data(), key.size());
  entry->inline_size_ = 0;
  Store(entry, content);
  return entry;
}

bool EntryBuilder::ReplaceInPlace(Entry* entry, const Content& content) {
  bool has_slot = (entry->flags_ & Entry::kHasSlot) != 0;
  if (has_slot != NeedsSlot(content.kind)) return false;
  if (!has_slot && content.bytes.size() != entry->inline_size_) {
    size_t old_size = LayoutSize(*entry);
    size_t new_size = old_size - entry->inline_size_ + content.bytes.size();
    if (AllocationSize(old_size) != AllocationSize(new_size)) return false;
  }
  Store(entry, content);
  return true;
}

void EntryBuilder::Store(Entry* entry, const Content& content) {
  using Kind = Content::Kind;
  entry->type_ = static_cast<uint8_t>(content.type) & 0xf;
  entry->flags_ = static_cast<uint8_t>(content.raw ? entry->flags_ | Entry::kRaw
                                                   : entry->flags_ & ~Entry::kRaw);
  char* slot = entry->bytes() + 8;
  switch (content.kind) {
    case Kind::kBytes: {
      std::string_view k = entry->key();
      char* end = const_cast<char*>(k.data()) + k.size();
      std::memmove(end, content.bytes.data(), content.bytes.size());
      entry->inline_size_ = static_cast<uint32_t>(content.bytes.size()) & 0xff;
      entry->storage_ = static_cast<uint8_t>(Entry::Storage::kInline) & 0xf;
      break;
    }
    case Kind::kInteger:
      std::memcpy(slot, &content.integer, sizeof(content.integer));
      entry->storage_ = static_cast<uint8_t>(Entry::Storage::kInteger) & 0xf;
      break;
    case Kind::kBlock:
      std::memcpy(slot, &content.block, sizeof(content.block));
      entry->storage_ = static_cast<uint8_t>(Entry::Storage::kBlock) & 0xf;
      break;
    case Kind::kValue:
      std::memcpy(slot, &content.value, sizeof(content.value));
      entry->storage_ = static_cast<uint8_t>(Entry::Storage::kValue) & 0xf;
      break;
  }
}

EntryBuilder::Content EntryBuilder::TakeContent(Entry* entry) {
  using Kind = Content::Kind;
  Content content{
      .kind = Kind::kBytes, .raw = (entry->flags_ & Entry::kRaw) != 0, .type = entry->type()};
  switch (entry->storage()) {
    case Entry::Storage::kInline:
      content.bytes = entry->string(nullptr);
      break;
    case Entry::Storage::kInteger:
      content.kind = Kind::kInteger;
      content.integer = entry->integer();
      break;
    case Entry::Storage::kBlock:
      content.kind = Kind::kBlock;
      content.block = entry->block();
      break;
    case Entry::Storage::kValue:
      content.kind = Kind::kValue;
      content.value = &entry->value();
      break;
  }
  return content;
}

void EntryBuilder::FreeContent(const Content& content) {
  if (content.kind == Content::Kind::kBlock) FreeBlock(content.block);
  if (content.kind == Content::Kind::kValue) delete content.value;
}

void EntryBuilder::FreeShell(Entry* entry) { std::free(entry); }

void EntryBuilder::Free(Entry* entry) {
  if ((entry->flags_ & Entry::kHasSlot) != 0) FreeContent(TakeContent(entry));
  FreeShell(entry);
}

std::string_view Entry::IntegerText(char* scratch) const {
  return std::string_view(scratch, Int64ToText(integer(), scratch));
}

size_t Entry::string_size() const {
  switch (storage()) {
    case Storage::kInline:
      return inline_size_;
    case Storage::kBlock:
      return block()->size;
    case Storage::kInteger:
    case Storage::kValue:
      break;
  }
  return Int64TextSize(integer());
}

std::string_view Entry::encoding_name() const {
  if (!is_string()) return value().encoding_name();
  if (is_integer()) return "int";
  if ((flags_ & kRaw) != 0 || string_size() > kEmbstrMax) return "raw";
  return "embstr";
}

std::string_view Entry::type_name() const { return is_string() ? "string" : value().type().name(); }

size_t Entry::MemoryUsage(size_t samples) const {
  std::string_view k = key();
  size_t shell = EntryBuilder::AllocationSize(static_cast<size_t>(k.data() + k.size() - bytes()) +
                                              inline_size_);
  if (storage() == Storage::kBlock) return shell + sizeof(StringBlock) + block()->capacity;
  if (storage() == Storage::kValue) return shell + value().MemoryUsage(samples);
  return shell;
}

}  // namespace backplane
