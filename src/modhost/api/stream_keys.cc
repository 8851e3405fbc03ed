// SPDX-License-Identifier: BSD-3-Clause
// API area: keys of type stream, and the iterator that lives in an open key. Errors go to errno:
// EINVAL what no caller may pass, ENOTSUP not a stream, EBADF not open for this, others by
// function.
#include <cerrno>
#include <vector>

#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "value/stream_value.h"

namespace backplane {
namespace {

int Error(int code) {
  errno = code;
  return REDISMODULE_ERR;
}

StreamId IdOf(const RedisModuleStreamID& id) { return {id.ms, id.seq}; }

// The stream of an open key; null when it is empty or of another type.
StreamValue* StreamOf(RedisModuleKey* key) {
  Entry* entry = EntryOf(key);
  if (entry == nullptr || entry->type() != TypeId::kStream) return nullptr;
  return &entry->As<StreamValue>();
}

StreamNodeLimits LimitsOf(RedisModuleKey* key) {
  const EncodingLimits& limits = key->db->keyspace().limits();
  return {limits.stream_node_max_bytes, limits.stream_node_max_entries};
}

int StreamAdd(RedisModuleKey* key, int flags, RedisModuleStreamID* id, RedisModuleString** argv,
              int64_t numfields) {
  const bool auto_id = (flags & REDISMODULE_STREAM_ADD_AUTOID) != 0;
  const bool bad_flags = (flags & ~REDISMODULE_STREAM_ADD_AUTOID) != 0;
  if (key == nullptr || numfields < 0 || (numfields != 0 && argv == nullptr) || bad_flags ||
      (!auto_id && id == nullptr)) {
    return Error(EINVAL);
  }
  Entry* entry = key->entry();
  if (entry != nullptr && entry->type() != TypeId::kStream) return Error(ENOTSUP);
  if (!key->writable()) return Error(EBADF);
  std::vector<std::string_view> words;
  size_t bytes = 0;
  for (int64_t i = 0; i < numfields * 2; ++i) {
    words.push_back(argv[i]->view());
    bytes += words.back().size();
  }
  if (bytes >= Listpack::kMaxBytes) return Error(ERANGE);
  const StreamId last = entry != nullptr ? entry->As<StreamValue>().last_id() : StreamId{};
  if (last == kStreamIdMax) return Error(EFBIG);
  if (!auto_id && IdOf(*id) <= last) return Error(EDOM);
  auto* stream = ValueForWrite<StreamValue>(key, TypeId::kStream);
  // An id is left: the last one is not the largest.
  const StreamId chosen =
      auto_id ? *stream->NextId(static_cast<uint64_t>(key->db->keyspace().now_ms())) : IdOf(*id);
  stream->Append(chosen, words, LimitsOf(key));
  if (auto_id && id != nullptr) *id = {chosen.ms, chosen.seq};
  key->Changed();
  return REDISMODULE_OK;
}

int StreamDelete(RedisModuleKey* key, RedisModuleStreamID* id) {
  if (key == nullptr || id == nullptr) return Error(EINVAL);
  StreamValue* stream = StreamOf(key);
  if (stream == nullptr) return Error(ENOTSUP);
  if (!key->writable() || key->stream.active) return Error(EBADF);
  if (!stream->Erase(IdOf(*id))) return Error(ENOENT);
  key->Changed();
  return REDISMODULE_OK;
}

// --- the iterator ---

int StreamIteratorStart(RedisModuleKey* key, int flags, RedisModuleStreamID* start,
                        RedisModuleStreamID* end) {
  constexpr int kKnown =
      REDISMODULE_STREAM_ITERATOR_EXCLUSIVE | REDISMODULE_STREAM_ITERATOR_REVERSE;
  if (key == nullptr || (flags & ~kKnown) != 0) return Error(EINVAL);
  if (StreamOf(key) == nullptr) return Error(ENOTSUP);
  if (key->stream.active) return Error(EBADF);
  StreamId first = start != nullptr ? IdOf(*start) : kStreamIdMin;
  StreamId last = end != nullptr ? IdOf(*end) : kStreamIdMax;
  if ((flags & REDISMODULE_STREAM_ITERATOR_EXCLUSIVE) != 0) {
    const auto above = start != nullptr ? first.Next() : first;
    const auto below = end != nullptr ? last.Previous() : last;
    if (!above || !below) return Error(EDOM);
    first = *above;
    last = *below;
  }
  auto& range = key->stream;
  range.active = true;
  range.reverse = (flags & REDISMODULE_STREAM_ITERATOR_REVERSE) != 0;
  range.at_entry = false;
  range.first = first;
  range.last = last;
  range.reader.reset();
  return REDISMODULE_OK;
}

// Why the iterator of the key cannot be used: an errno, or 0 and the stream.
int CheckIterator(RedisModuleKey* key, StreamValue** stream) {
  if (key == nullptr) return EINVAL;
  *stream = StreamOf(key);
  if (*stream == nullptr) return ENOTSUP;
  return key->stream.active ? 0 : EBADF;
}

int StreamIteratorStop(RedisModuleKey* key) {
  StreamValue* stream;
  if (const int error = CheckIterator(key, &stream); error != 0) return Error(error);
  key->stream.active = false;
  key->stream.reader.reset();
  return REDISMODULE_OK;
}

// The reader, made again if need be, at the current entry, as many fields into it as were read.
StreamReader& ReaderOf(RedisModuleKey* key, const StreamValue& stream) {
  auto& range = key->stream;
  if (range.reader.has_value()) return *range.reader;
  if (!range.at_entry) {
    return range.reader.emplace(stream.log(), range.first, range.last, range.reverse);
  }
  // An entry that is gone has no fields, and the next one is still to come.
  const StreamId first = range.reverse ? range.first : range.current;
  const StreamId last = range.reverse ? range.current : range.last;
  StreamReader& reader = range.reader.emplace(stream.log(), first, last, range.reverse);
  StreamReader ahead = reader;
  if (ahead.Next() && ahead.id() == range.current) {
    reader.Next();
    Item field;
    Item value;
    for (uint64_t i = 0; i < range.fields_read; ++i) reader.NextField(&field, &value);
  }
  return reader;
}

int StreamIteratorNextID(RedisModuleKey* key, RedisModuleStreamID* id, long* numfields) {
  StreamValue* stream;
  if (const int error = CheckIterator(key, &stream); error != 0) return Error(error);
  auto& range = key->stream;
  StreamReader& reader = ReaderOf(key, *stream);
  range.at_entry = reader.Next();
  range.fields_read = 0;
  if (!range.at_entry) return Error(ENOENT);
  range.current = reader.id();
  if (id != nullptr) *id = {range.current.ms, range.current.seq};
  if (numfields != nullptr) *numfields = static_cast<long>(reader.fields_left());
  return REDISMODULE_OK;
}

int StreamIteratorNextField(RedisModuleKey* key, RedisModuleString** field_ptr,
                            RedisModuleString** value_ptr) {
  StreamValue* stream;
  if (const int error = CheckIterator(key, &stream); error != 0) return Error(error);
  auto& range = key->stream;
  Item field;
  Item value;
  if (!range.at_entry || !ReaderOf(key, *stream).NextField(&field, &value)) return Error(ENOENT);
  ++range.fields_read;
  auto give = [key](const Item& item, RedisModuleString** out) {
    if (out == nullptr) return;
    ItemText scratch;
    *out = NewModuleString(item.Text(scratch));
    if (key->ctx != nullptr) key->ctx->Track(RedisModuleCtx::Kind::kString, *out);
  };
  give(field, field_ptr);
  give(value, value_ptr);
  return REDISMODULE_OK;
}

int StreamIteratorDelete(RedisModuleKey* key) {
  StreamValue* stream;
  if (const int error = CheckIterator(key, &stream); error != 0) return Error(error);
  auto& range = key->stream;
  if (!key->writable()) return Error(EBADF);
  if (!range.at_entry) return Error(ENOENT);
  // The reader sees that places have moved, and goes on behind the entry.
  ReaderOf(key, *stream);
  const bool erased = stream->Erase(range.current);
  range.at_entry = false;
  // A reader that is made again begins behind it.
  const auto rest = range.reverse ? range.current.Previous() : range.current.Next();
  if (rest) {
    (range.reverse ? range.last : range.first) = *rest;
  } else {
    range.first = kStreamIdMax;
    range.last = kStreamIdMin;
  }
  if (!erased) return Error(ENOENT);
  key->Changed();
  return REDISMODULE_OK;
}

// --- trimming ---

long long Trim(RedisModuleKey* key, int flags, StreamTrim trim) {
  if (key == nullptr || (flags & ~REDISMODULE_STREAM_TRIM_APPROX) != 0) return -Error(EINVAL);
  StreamValue* stream = StreamOf(key);
  if (stream == nullptr) return -Error(ENOTSUP);
  if (!key->writable()) return -Error(EBADF);
  trim.approximate = (flags & REDISMODULE_STREAM_TRIM_APPROX) != 0;
  // As XTRIM's own limit: so many entries at once.
  if (trim.approximate) {
    constexpr uint64_t kNodes = 100;
    constexpr uint64_t kWithoutNodeLimit = 10000;
    const uint64_t node_entries = key->db->keyspace().limits().stream_node_max_entries;
    trim.limit = node_entries == 0 ? kWithoutNodeLimit : kNodes * node_entries;
  }
  const uint64_t removed = stream->Trim(trim);
  if (removed != 0) key->Changed();
  return static_cast<long long>(removed);
}

long long StreamTrimByLength(RedisModuleKey* key, int flags, long long length) {
  if (length < 0) return -Error(EINVAL);
  return Trim(key, flags,
              {.by = StreamTrim::By::kLength, .max_length = static_cast<uint64_t>(length)});
}

long long StreamTrimByID(RedisModuleKey* key, int flags, RedisModuleStreamID* id) {
  if (id == nullptr) return -Error(EINVAL);
  return Trim(key, flags, {.by = StreamTrim::By::kMinId, .min_id = IdOf(*id)});
}

}  // namespace

void RegisterStreamKeyApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(StreamAdd),
      BACKPLANE_API_ROW(StreamDelete),
      BACKPLANE_API_ROW(StreamIteratorStart),
      BACKPLANE_API_ROW(StreamIteratorStop),
      BACKPLANE_API_ROW(StreamIteratorNextID),
      BACKPLANE_API_ROW(StreamIteratorNextField),
      BACKPLANE_API_ROW(StreamIteratorDelete),
      BACKPLANE_API_ROW(StreamTrimByLength),
      BACKPLANE_API_ROW(StreamTrimByID),
  };
  table.Add(rows);
}

}  // namespace backplane
