#include "transport/dns/answer_cache.h"

#include <iterator>
#include <utility>

namespace waxwing {
namespace {

std::size_t heap_octets(const RecordData& record) {
  struct Visitor {
    std::size_t operator()(const IpAddress&) const { return 0; }
    std::size_t operator()(const MxRecord& mx) const { return mx.exchange.capacity(); }
    std::size_t operator()(const TxtRecord& txt) const { return txt.text.capacity(); }
    std::size_t operator()(const PtrRecord& ptr) const { return ptr.name.capacity(); }
    std::size_t operator()(const TlsaRdata& tlsa) const { return tlsa.octets.capacity(); }
  };
  return std::visit(Visitor{}, record);
}

// About what an entry occupies; the constant stands for the nodes of list and map.
std::size_t footprint(const Question& question, const Answer& answer) {
  constexpr std::size_t kFixedOctets = 320;
  std::size_t octets = kFixedOctets + 2 * question.name.size() + answer.canonical_name.size() + answer.detail.size();
  for (const RecordData& record : answer.records) octets += sizeof record + heap_octets(record);
  return octets;
}

}  // namespace

std::optional<Answer> AnswerCache::find(const Question& question, MonotonicTime now) {
  const auto found = index_.find(question);
  if (found == index_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->expires <= now) {
    erase(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  Answer answer = entry->answer;
  answer.ttl_seconds = static_cast<std::uint32_t>(std::chrono::ceil<Seconds>(entry->expires - now).count());
  return answer;
}

void AnswerCache::add(const Question& question, const Answer& answer, MonotonicTime expires) {
  if (const auto found = index_.find(question); found != index_.end()) erase(found->second);
  const std::size_t octets = footprint(question, answer);
  if (octets > max_octets_ || max_entries_ == 0) return;
  while (index_.size() >= max_entries_ || octets_ + octets > max_octets_) erase(std::prev(entries_.end()));
  entries_.push_front(Entry{.question = question, .answer = answer, .expires = expires, .octets = octets});
  index_.emplace(question, entries_.begin());
  octets_ += octets;
}

void AnswerCache::erase(std::list<Entry>::iterator entry) {
  octets_ -= entry->octets;
  index_.erase(entry->question);
  entries_.erase(entry);
}

void AnswerCache::clear() {
  index_.clear();
  entries_.clear();
  octets_ = 0;
}

}  // namespace waxwing
