// SPDX-License-Identifier: BSD-3-Clause
// Entry: one key of a database with its value, in one allocation. Made and changed by Database
// only; commands read. Engine thread.
//
//   entry   = header [slot] [expire] key [inline]
//   header  = type|encoding (1) flags (1) key_size (2) access|inline_size (4)       8 bytes
//   slot    = 8 bytes when kHasSlot: the integer of an int-encoded string, StringBlock* of a long
//   string, Value* of any other type expire  = 8 bytes when kHasExpire: absolute Unix time in
//   milliseconds key     = key_size bytes; when key_size is kLongKey: 8 bytes of real size, then
//   the bytes inline  = inline_size bytes: a short string value
//
// A 16-byte key with a 32-byte value takes 56 bytes: the 64-byte size class. Every entry is
// allocated with exactly AllocationSize(layout), the allocator's size class of its layout, so
// whether a new value fits in place is arithmetic, not a question to the allocator.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/assert.h"
#include "value/value.h"

namespace backplane {

// The bytes of a string too long to stand in its entry; `capacity` bytes follow. Owned by one
// entry.
struct StringBlock {
  size_t size;
  size_t capacity;
  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
};

class Entry {
 public:
  // Strings up to this stand inside the entry.
  static constexpr size_t kInlineMax = 255;
  // OBJECT ENCODING says "embstr" up to this, "raw" beyond, as users know it.
  static constexpr size_t kEmbstrMax = 44;
  static constexpr uint32_t kAccessMask = 0xffffff;

  TypeId type() const { return static_cast<TypeId>(type_); }
  bool is_string() const { return type() == TypeId::kString; }
  std::string_view key() const {
    const char* p = bytes() + KeyOffset(flags_);
    if (key_size_ != kLongKey) [[likely]]
      return std::string_view(p, key_size_);
    uint64_t size;
    std::memcpy(&size, p, sizeof(size));
    return std::string_view(p + sizeof(size), size);
  }

  bool has_expire() const { return (flags_ & kHasExpire) != 0; }
  // Absolute, ms; -1 without one.
  int64_t expire_ms() const {
    if (!has_expire()) return -1;
    int64_t at;
    std::memcpy(&at, bytes() + ExpireOffset(flags_), sizeof(at));
    return at;
  }

  // The idle clock's value at the last access, in seconds modulo 2^24 (LRU), or LFU's packed
  // counter.
  uint32_t access() const { return access_; }
  void set_access(uint32_t value) {
    if (access_ != value) access_ = value & kAccessMask;
  }

  // --- strings; REQUIRES is_string() ---
  bool is_integer() const { return storage() == Storage::kInteger; }
  int64_t integer() const {
    int64_t value;
    std::memcpy(&value, slot_address(), sizeof(value));
    return value;
  }
  // The string's bytes; an int-encoded one is printed to `scratch` (kNumberTextMax bytes).
  std::string_view string(char* scratch) const {
    switch (storage()) {
      case Storage::kInline: {
        std::string_view k = key();
        return std::string_view(k.data() + k.size(), inline_size_);
      }
      case Storage::kBlock:
        return std::string_view(block()->data(), block()->size);
      case Storage::kInteger:
      case Storage::kValue:
        break;
    }
    return IntegerText(scratch);
  }
  size_t string_size() const;

  // --- any other type; REQUIRES !is_string() ---
  Value& value() const {
    Value* v;
    std::memcpy(&v, slot_address(), sizeof(v));
    return *v;
  }
  // The value as the class that implements `type()`; the caller has checked the type.
  template <class T>
  T& As() const {
    return static_cast<T&>(value());
  }

  // "int", "embstr", "raw", or the value's encoding.
  std::string_view encoding_name() const;
  // The type's name as TYPE answers.
  std::string_view type_name() const;
  // Bytes of the entry and, with `samples` as for Value::MemoryUsage, of what it owns.
  size_t MemoryUsage(size_t samples) const;
  // The address that a read of the value will touch first; null when that is the entry itself. For
  // prefetching.
  const void* value_address() const {
    if ((flags_ & kHasSlot) == 0 || storage() == Storage::kInteger) return nullptr;
    const void* p;
    std::memcpy(&p, slot_address(), sizeof(p));
    return p;
  }

 private:
  friend class EntryBuilder;
  friend class Database;

  enum class Storage : uint8_t { kInline = 0, kInteger = 1, kBlock = 2, kValue = 3 };
  static constexpr uint8_t kHasExpire = 1;
  static constexpr uint8_t kHasSlot = 2;
  static constexpr uint8_t kRaw = 4;  // a short string that was modified in place: "raw" to users
  static constexpr uint16_t kLongKey = 0xffff;

  static constexpr size_t ExpireOffset(uint8_t flags) {
    return 8 + ((flags & kHasSlot) != 0 ? 8 : 0);
  }
  static constexpr size_t KeyOffset(uint8_t flags) {
    return ExpireOffset(flags) + ((flags & kHasExpire) != 0 ? 8 : 0);
  }
  char* bytes() { return reinterpret_cast<char*>(this); }
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  const char* slot_address() const { return bytes() + 8; }
  Storage storage() const { return static_cast<Storage>(storage_); }
  StringBlock* block() const {
    StringBlock* b;
    std::memcpy(&b, slot_address(), sizeof(b));
    return b;
  }
  std::string_view IntegerText(char* scratch) const;

  uint8_t type_ : 4;
  uint8_t storage_ : 4;
  uint8_t flags_;
  uint16_t key_size_;
  uint32_t access_ : 24;
  uint32_t inline_size_ : 8;
};
static_assert(sizeof(Entry) == 8);

// Makes, resizes and frees entries. Database is its user.
class EntryBuilder {
 public:
  // What an entry is to hold. Exactly one of the kinds.
  struct Content {
    enum class Kind : uint8_t { kBytes, kInteger, kBlock, kValue } kind;
    bool raw = false;
    std::string_view bytes = {};   // kBytes, at most Entry::kInlineMax
    int64_t integer = 0;           // kInteger
    StringBlock* block = nullptr;  // kBlock: ownership passes to the entry
    Value* value = nullptr;        // kValue: ownership passes to the entry
    TypeId type = TypeId::kString;
  };
  // How SET stores these bytes: as an integer when they are one, inline when short, else in a new
  // block.
  static Content ForString(std::string_view bytes);
  // The same without looking for an integer.
  static Content ForText(std::string_view bytes);
  static Content ForValue(std::unique_ptr<Value> value);

  // A new entry; expire_ms < 0 for none.
  static Entry* New(std::string_view key, const Content& content, int64_t expire_ms,
                    uint32_t access);
  // Puts new content into an entry if its allocation is of the right size for it; old block or
  // value must have been released. False: the caller builds another entry.
  static bool ReplaceInPlace(Entry* entry, const Content& content);
  // Takes what the entry owns out of it (the entry then must be freed with FreeShell or refilled).
  static Content TakeContent(Entry* entry);
  // Frees block or value.
  static void FreeContent(const Content& content);
  // Frees the entry's own allocation only.
  static void FreeShell(Entry* entry);
  // Both.
  static void Free(Entry* entry);

  static StringBlock* NewBlock(size_t size, size_t capacity);
  static void FreeBlock(StringBlock* block);
  // Changes the capacity, keeps the bytes.
  static StringBlock* ResizeBlock(StringBlock* block, size_t capacity);
  // The size class that a request of n bytes gets; entries are allocated in these sizes.
  static size_t AllocationSize(size_t n);

 private:
  static void Store(Entry* entry, const Content& content);
  static size_t LayoutSize(const Entry& entry);
};

}  // namespace backplane
