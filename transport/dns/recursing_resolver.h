#pragma once

#include <cstdint>
#include <memory>

#include "policy/result.h"
#include "policy/time_point.h"
#include "transport/dns/recursion_roots.h"
#include "transport/dns/resolver.h"
#include "transport/io/event_loop.h"

namespace waxwing {

/// Asks the authoritative servers itself and validates what they say, for hosts without a resolver of their own: getdns
/// with libunbound inside, which has a cache. libunbound's word on validation decides; what the answers say is read by
/// answer_reader.h. Belongs to its loop's thread and does not outlive the loop.
/// @source  RFC 4035 §5
class RecursingResolver final : public Resolver {
 public:
  struct Options {
    RecursionRoots roots;
    Milliseconds timeout{20'000};  ///< of one lookup; libunbound asks several servers several times in it
    /// Lookups in flight; more wait for their turn. Many to servers that are gone make libunbound drop good ones.
    std::uint16_t max_outstanding = 8;
  };

  /// @errors  Unavailable: there is no trust anchor, or getdns refuses a setting; the detail names it
  [[nodiscard]] static Result<std::unique_ptr<RecursingResolver>> create(EventLoop& loop, const Options& options);

  ~RecursingResolver() override;
  RecursingResolver(const RecursingResolver&) = delete;
  RecursingResolver& operator=(const RecursingResolver&) = delete;

  void resolve(const Question& question, OnAnswer on_answer) override;

 private:
  struct Impl;
  explicit RecursingResolver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace waxwing
