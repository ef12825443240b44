package engine

import "github.com/ksdispatch/ksdispatch/engine/ks"

// DispatchSpecificProperty calls handler for a request that a dispatcher has laid out before, usually one that its first
// handler left pending: KsDispatchSpecificProperty (P-50). There is no lookup and no new capture; PropertySet, PropertyItem
// and ItemStorage answer as they did in the first handler. P-20 and P-21 apply; STATUS_SOME_NOT_MAPPED, with no standard
// processing left to ask for, is STATUS_NOT_FOUND (P-51). A request that no dispatcher laid out, or whose lengths were
// changed since, is STATUS_INVALID_PARAMETER (S-7, S-15).
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nf-ks-ksdispatchspecificproperty
func DispatchSpecificProperty(irp *IRP, handler Handler) (status ks.Status) {
	if irp.SystemBuffer == nil || !irp.wasPrepared() || !irp.dispatched() {
		irp.IoStatus.Information = 0
		return irp.decide(ruleP50, ks.StatusInvalidParameter)
	}
	d, n, dir := irp.owner, irp.layout.out, irp.layout.dir
	returned := false
	defer func() {
		if !returned {
			status = d.unwound(irp, recover())
		}
	}()
	status = irp.checked(d.run(irp, handler, nil, nil, nil), n, dir)
	returned = true
	return status
}
