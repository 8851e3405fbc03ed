// SPDX-License-Identifier: BSD-3-Clause
// Database: lookups and writes. Expiry's background part is in expire.cc, whole-database operations
// in database_bulk.cc.
#include "keyspace/database.h"

#include <algorithm>

#include "base/numbers.h"
#include "keyspace/keyspace.h"

namespace backplane {
namespace {

// UNLINK frees a value in the background when its destructor has at least this much to do.
constexpr size_t kLazyFreeThreshold = 64;

class ContentGarbage final : public Garbage {
 public:
  explicit ContentGarbage(const EntryBuilder::Content& content) : content_(content) {}
  ~ContentGarbage() override { EntryBuilder::FreeContent(content_); }

 private:
  EntryBuilder::Content content_;
};

}  // namespace

bool Database::IsExpired(const Entry& entry) const {
  return entry.has_expire() && keyspace_->IsOver(entry.expire_ms());
}

bool Database::RemoveIfExpired(Entry* entry, const Key& key) {
  if (!entry->has_expire() || entry->expire_ms() > keyspace_->now_ms()) [[likely]]
    return false;
  if (keyspace_->ignores_expiry()) [[unlikely]]
    return false;
  if (!keyspace_->expires_keys())
    return true;                // hidden, but its removal is somebody else's decision
  std::string name(key.bytes);  // the caller's bytes may be the entry's own
  Remove(table_.Locate(key.bytes, key.hash), key, KeyspaceObserver::RemovalReason::kExpired, true);
  ++keyspace_->stats().expired;
  ++keyspace_->stats().expired_by_lookup;
  if (auto* observer = keyspace_->observer()) observer->KeyExpired(*this, name);
  keyspace_->Notify(*this, kNotifyExpired, "expired", name);
  keyspace_->KeyModified(*this, name);
  return true;
}

Entry* Database::Locate(const Key& key) {
  Entry* entry = table_.Find(key.bytes, key.hash);
  if (entry == nullptr || (entry->has_expire() && RemoveIfExpired(entry, key))) return nullptr;
  return entry;
}

Entry* Database::Peek(const Key& key) { return Locate(key); }

Entry* Database::PeekWithoutEffects(const Key& key) {
  Entry* entry = table_.Find(key.bytes, key.hash);
  return entry == nullptr || IsExpired(*entry) ? nullptr : entry;
}

Entry* Database::FindForRead(const Key& key) {
  Entry* entry = Locate(key);
  if (entry == nullptr) {
    ++keyspace_->stats().misses;
    keyspace_->Notify(*this, kNotifyKeyMiss, "keymiss", key.bytes);
    return nullptr;
  }
  ++keyspace_->stats().hits;
  keyspace_->Touch(entry);
  return entry;
}

Entry* Database::FindForWrite(const Key& key) {
  Entry* entry = Locate(key);
  if (entry != nullptr) keyspace_->Touch(entry);
  return entry;
}

// The key is about to come anew: one of that name whose time is over, but which is hidden only,
// goes.
void Database::RemoveHidden(const Key& key) {
  auto position = table_.Locate(key.bytes, key.hash);
  if (!position) return;
  Remove(position, key, KeyspaceObserver::RemovalReason::kExpired, true);
  if (auto* observer = keyspace_->observer()) observer->KeyExpired(*this, key.bytes);
}

Entry* Database::Insert(const Key& key, const EntryBuilder::Content& content, int64_t expire_ms) {
  if (!keyspace_->expires_keys()) [[unlikely]]
    RemoveHidden(key);
  Entry* entry = EntryBuilder::New(key.bytes, content, expire_ms, keyspace_->FreshAccess());
  table_.Insert(entry, key.hash);
  if (expire_ms >= 0) expires_.Insert(entry, key.hash);
  keyspace_->Notify(*this, kNotifyNew, "new", key.bytes);
  return entry;
}

void Database::Swap(Entry* old, Entry* fresh) {
  std::string_view name = old->key();
  uint64_t hash = HashBytes(name);
  table_.Replace(table_.Locate(name, hash), fresh);
  if (old->has_expire()) {
    auto position = expires_.Locate(name, hash);
    if (fresh->has_expire()) {
      expires_.Replace(position, fresh);
    } else {
      expires_.Erase(position, hash);
    }
  } else if (fresh->has_expire()) {
    expires_.Insert(fresh, hash);
  }
  EntryBuilder::FreeShell(old);
}

bool Database::TellsOfRemoval(const Entry& entry) const {
  return entry.type() == TypeId::kModule || keyspace_->reports_removals();
}

Entry* Database::Removing(Entry* entry, const Key& key, KeyspaceObserver::RemovalReason reason) {
  if (!TellsOfRemoval(*entry)) [[likely]]
    return entry;
  if (auto* observer = keyspace_->observer()) observer->KeyRemoving(*this, *entry, reason);
  return LookUp(key);
}

void Database::Released(const EntryBuilder::Content& content, bool lazy) {
  using Kind = EntryBuilder::Content::Kind;
  if (content.kind == Kind::kValue && lazy && content.value->FreeEffort() > kLazyFreeThreshold) {
    keyspace_->lazy_free().Push(std::make_unique<ContentGarbage>(content));
    return;
  }
  EntryBuilder::FreeContent(content);
}

Entry* Database::Overwrite(Entry* existing, const Key& key, EntryBuilder::Content content,
                           TtlPolicy ttl) {
  if (existing == nullptr) return Insert(key, content, -1);
  existing = Removing(existing, key, KeyspaceObserver::RemovalReason::kOverwritten);
  if (existing == nullptr) [[unlikely]]
    return Insert(key, content, -1);
  int64_t expire_ms = ttl == TtlPolicy::kKeep ? existing->expire_ms() : -1;
  const uint32_t access = keyspace_->AccessAfterUse(existing->access());
  EntryBuilder::Content old = EntryBuilder::TakeContent(existing);
  if (existing->has_expire() == (expire_ms >= 0) &&
      EntryBuilder::ReplaceInPlace(existing, content)) {
    existing->set_access(access);
    Released(old, true);
    return existing;
  }
  Entry* fresh = EntryBuilder::New(key.bytes, content, expire_ms, access);
  Swap(existing, fresh);
  Released(old, true);
  return fresh;
}

Entry* Database::SetStringAt(Entry* existing, const Key& key, std::string_view bytes,
                             TtlPolicy ttl) {
  return Overwrite(existing, key, EntryBuilder::ForString(bytes), ttl);
}

Entry* Database::SetString(const Key& key, std::string_view bytes, TtlPolicy ttl) {
  return SetStringAt(Locate(key), key, bytes, ttl);
}

Entry* Database::SetText(const Key& key, std::string_view bytes, TtlPolicy ttl) {
  return Overwrite(Locate(key), key, EntryBuilder::ForText(bytes), ttl);
}

Entry* Database::SetInteger(const Key& key, int64_t value, TtlPolicy ttl) {
  EntryBuilder::Content content{.kind = EntryBuilder::Content::Kind::kInteger, .integer = value};
  return Overwrite(Locate(key), key, content, ttl);
}

Entry* Database::SetValue(const Key& key, std::unique_ptr<Value> value, TtlPolicy ttl) {
  return Overwrite(Locate(key), key, EntryBuilder::ForValue(std::move(value)), ttl);
}

Entry* Database::Add(const Key& key, std::unique_ptr<Value> value) {
  return Insert(key, EntryBuilder::ForValue(std::move(value)), -1);
}

void Database::UpdateInteger(Entry* entry, int64_t value) {
  EntryBuilder::ReplaceInPlace(
      entry,
      EntryBuilder::Content{.kind = EntryBuilder::Content::Kind::kInteger, .integer = value});
}

char* Database::ResizeString(Entry** entry, size_t size, bool growing) {
  Entry* e = *entry;
  char scratch[kNumberTextMax];
  std::string_view old = e->string(scratch);
  EntryBuilder::Content content{.kind = EntryBuilder::Content::Kind::kBlock, .raw = true};
  if (e->storage() == Entry::Storage::kBlock) {
    content.block = e->block();
    if (size > content.block->capacity || size < content.block->capacity / 4) {
      size_t room = growing ? std::min(size * 2, size + (size_t{1} << 20)) : size;
      content.block = EntryBuilder::ResizeBlock(content.block, room);
    }
    if (size > content.block->size) {
      std::memset(content.block->data() + content.block->size, 0, size - content.block->size);
    }
    content.block->size = size;
    EntryBuilder::ReplaceInPlace(e, content);
    return content.block->data();
  }
  size_t kept = std::min(old.size(), size);
  if (!growing && size <= Entry::kInlineMax) {
    // Stays in the entry. The padding is written through a copy because the layout may change size
    // class.
    std::string text(old.substr(0, kept));
    text.resize(size, '\0');
    content.kind = EntryBuilder::Content::Kind::kBytes;
    content.bytes = text;
    if (!EntryBuilder::ReplaceInPlace(e, content)) {
      *entry = EntryBuilder::New(e->key(), content, e->expire_ms(), e->access());
      Swap(e, *entry);
    }
    return const_cast<char*>((*entry)->string(nullptr).data());
  }
  content.block = EntryBuilder::NewBlock(size, growing ? size * 2 : size);
  std::memcpy(content.block->data(), old.data(), kept);
  std::memset(content.block->data() + kept, 0, size - kept);
  *entry = EntryBuilder::New(e->key(), content, e->expire_ms(), e->access());
  Swap(e, *entry);
  return content.block->data();
}

std::unique_ptr<Value> Database::ExchangeValue(Entry* entry, std::unique_ptr<Value> value) {
  EntryBuilder::Content old = EntryBuilder::TakeContent(entry);
  EntryBuilder::ReplaceInPlace(entry, EntryBuilder::ForValue(std::move(value)));
  return std::unique_ptr<Value>(old.value);
}

void Database::Remove(EntryTable::Position position, const Key& key,
                      KeyspaceObserver::RemovalReason reason, bool lazy) {
  Entry* entry = position.item();
  const uint64_t hash = key.hash;
  if (TellsOfRemoval(*entry)) {
    // The caller's bytes may be the entry's own.
    const std::string name(key.bytes);
    entry = Removing(entry, Key(name, hash), reason);
    if (entry == nullptr) return;
    position = table_.Locate(name, hash);
  }
  if (entry->has_expire()) expires_.Erase(expires_.Locate(entry->key(), hash), hash);
  table_.Erase(position, hash);
  Released(EntryBuilder::TakeContent(entry), lazy);
  EntryBuilder::FreeShell(entry);
}

bool Database::Delete(const Key& key, bool lazy) {
  if (Locate(key) == nullptr) return false;
  Remove(table_.Locate(key.bytes, key.hash), key, KeyspaceObserver::RemovalReason::kDeleted, lazy);
  return true;
}

void Database::Evict(Entry* entry, bool lazy) {
  Key key(entry->key());
  Remove(table_.Locate(key.bytes, key.hash), key, KeyspaceObserver::RemovalReason::kEvicted, lazy);
}

void Database::DeleteEntry(Entry* entry, bool lazy) {
  Key key(entry->key());
  Remove(table_.Locate(key.bytes, key.hash), key, KeyspaceObserver::RemovalReason::kDeleted, lazy);
}

void Database::MoveEntry(Entry* entry, Database& target_db, const Key& target) {
  if (!keyspace_->expires_keys()) [[unlikely]]
    target_db.RemoveHidden(target);
  EntryBuilder::Content content = EntryBuilder::TakeContent(entry);
  Entry* fresh = EntryBuilder::New(target.bytes, content, entry->expire_ms(), entry->access());
  uint64_t hash = HashBytes(entry->key());
  if (entry->has_expire()) expires_.Erase(entry->key(), hash);
  table_.Erase(entry->key(), hash);
  EntryBuilder::FreeShell(entry);
  target_db.table_.Insert(fresh, target.hash);
  if (fresh->has_expire()) target_db.expires_.Insert(fresh, target.hash);
  keyspace_->Notify(target_db, kNotifyNew, "new", target.bytes);
}

Entry* Database::SetExpire(Entry* entry, int64_t expire_ms) {
  if (entry->has_expire()) {
    std::memcpy(entry->bytes() + Entry::ExpireOffset(entry->flags_), &expire_ms, sizeof(expire_ms));
    return entry;
  }
  Entry* fresh =
      EntryBuilder::New(entry->key(), EntryBuilder::TakeContent(entry), expire_ms, entry->access());
  Swap(entry, fresh);
  return fresh;
}

Entry* Database::ClearExpire(Entry* entry) {
  if (!entry->has_expire()) return entry;
  Entry* fresh =
      EntryBuilder::New(entry->key(), EntryBuilder::TakeContent(entry), -1, entry->access());
  Swap(entry, fresh);
  return fresh;
}

bool Database::Load(std::string_view name, const EntryBuilder::Content& content, int64_t expire_ms,
                    uint32_t access) {
  Key key(name);
  if (table_.Find(key.bytes, key.hash) != nullptr) {
    EntryBuilder::FreeContent(content);
    return false;
  }
  Entry* entry = EntryBuilder::New(name, content, expire_ms, access);
  table_.Insert(entry, key.hash);
  if (expire_ms >= 0) expires_.Insert(entry, key.hash);
  return true;
}

Entry* Database::SampleEntry(bool with_ttl) {
  return (with_ttl ? expires_ : table_).Sample(keyspace_->random());
}

Entry* Database::RandomEntry() {
  // A database where nearly everything has expired would make this loop long: after so many tries
  // an expired key is as good an answer as none, and it is hidden by returning null.
  for (int tries = 0; tries < 100; ++tries) {
    Entry* entry = table_.Sample(keyspace_->random());
    if (entry == nullptr) return nullptr;
    Key key(entry->key());
    if (!RemoveIfExpired(entry, key)) return entry;
  }
  return nullptr;
}

}  // namespace backplane
