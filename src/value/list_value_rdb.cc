// SPDX-License-Identifier: BSD-3-Clause
// Lists in RDB. The bodies behind the type byte:
//   LIST (1)              length, string*
//   LIST_ZIPLIST (10)     string: a ziplist
//   LIST_QUICKLIST (14)   length of nodes, (string: a ziplist)*
//   LIST_QUICKLIST_2 (18) length of nodes, (container, string)*
//                         container 1: the string is one element; 2: it is a listpack
// Written is 18 only; every version from 10 on reads it.
#include "value/list_value.h"
#include "value/load_support.h"

namespace backplane {
namespace {

constexpr uint64_t kContainerPlain = 1;
constexpr uint64_t kContainerPacked = 2;

Status ReadNode(uint8_t rdb_type, ListChain& chain, ValueReader& reader) {
  uint64_t container = kContainerPacked;
  if (rdb_type == rdb::kListQuicklist2) {
    BP_ASSIGN_OR_RETURN(container, reader.ReadLength());
  }
  BP_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadString());
  if (container == kContainerPlain) {
    if (bytes.empty()) return Corrupt("empty plain list node");
    chain.AppendPlain(bytes);
    return {};
  }
  if (container != kContainerPacked) return Corrupt("unknown list node container");
  BP_ASSIGN_OR_RETURN(Listpack pack, rdb_type == rdb::kListQuicklist2 ? ListpackFromBytes(bytes)
                                                                      : ListpackFromZiplist(bytes));
  // Redis skips empty nodes that old versions have been seen to write.
  if (!pack.empty()) chain.AppendNode(std::move(pack));
  return {};
}

}  // namespace

uint8_t ListValue::rdb_type(int /*rdb_version*/) const { return rdb::kListQuicklist2; }

void ListValue::Save(ValueWriter& writer) const {
  if (!is_chain()) {
    writer.WriteLength(1);
    writer.WriteLength(kContainerPacked);
    writer.WriteString(slot_.listpack().Raw());
    return;
  }
  writer.WriteLength(chain().node_count());
  for (const ListNode* node = chain().head(); node != nullptr; node = node->next) {
    writer.WriteLength(node->is_plain() ? kContainerPlain : kContainerPacked);
    writer.WriteString(node->is_plain() ? std::string_view(node->plain, node->plain_size)
                                        : node->pack.Raw());
  }
}

Status ListValue::LoadElements(ListValue& list, ValueReader& reader, const EncodingLimits& limits) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, ReadCount(reader, 1));
  for (uint64_t i = 0; i < count; ++i) {
    BP_ASSIGN_OR_RETURN(const std::string text, reader.ReadString());
    list.Push(ListEnd::kTail, text, limits);
  }
  return {};
}

Status ListValue::LoadNodes(uint8_t rdb_type, ListValue& list, ValueReader& reader) {
  uint64_t nodes = 1;
  if (rdb_type != rdb::kListZiplist) {
    BP_ASSIGN_OR_RETURN(nodes, ReadCount(reader, 1));
  }
  list.ConvertToChain();
  for (uint64_t i = 0; i < nodes; ++i) {
    BP_RETURN_IF_ERROR(ReadNode(rdb_type, list.chain(), reader));
  }
  return {};
}

Result<std::unique_ptr<Value>> ListValue::Load(uint8_t rdb_type, ValueReader& reader,
                                               const EncodingLimits& limits) {
  auto list = std::make_unique<ListValue>();
  BP_RETURN_IF_ERROR(rdb_type == rdb::kList ? LoadElements(*list, reader, limits)
                                            : LoadNodes(rdb_type, *list, reader));
  if (list->length() == 0) return Corrupt("empty list");
  list->ConvertToListpackIfSmall(limits, /*shrinking=*/false);
  return list;
}

}  // namespace backplane
