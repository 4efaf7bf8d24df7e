import { byId, h, show } from './dom.js';
import { bytes, duration, moment } from './format.js';

/** The slot's health, and both servers'. */
export function servers(state) {
  const { status } = state, { source, engine } = status, slot = source?.slot;
  const safe = slot?.safeWalSize;
  show(byId('slot'), h('dl', { class: 'facts' },
    fact('Pipeline', status.state, status.state === 'streaming' ? 'good' : 'bad'),
    engine?.gapKind && fact('Gap', `${engine.gapKind}: ${engine.gapDetail}`, 'bad'),
    status.pipeline?.reason && fact(status.pipeline.state, `${status.pipeline.reason} ${status.pipeline.remedy}`, 'bad'),
    fact('Slot', slot ? `${slot.name}, ${slot.active ? `read by process ${slot.activePid}` : 'not read'}` : source ? 'missing' : 'not known', slot?.active ? '' : 'bad'),
    slot && fact('WAL', `${slot.walStatus ?? 'not known'}, ${bytes(slot.retainedBytes)} kept`, slot.walStatus === 'reserved' ? 'good' : slot.walStatus === 'extended' ? 'warn' : 'bad'),
    slot && [h('dt', {}, 'Until it is lost'), h('dd', {}, safe === null ? 'no limit is set (max_slot_wal_keep_size)' : [`${bytes(safe)} more WAL `,
      h('meter', { min: 0, max: safe + slot.retainedBytes, low: (safe + slot.retainedBytes) / 4, optimum: safe + slot.retainedBytes, value: safe, 'aria-label': 'WAL that may still be written' })])],
    source && fact('Oldest transaction', source.oldestTransactionSeconds === null ? 'none' : duration(source.oldestTransactionSeconds), source.oldestTransactionSeconds > 300 ? 'warn' : ''),
    engine && fact('Last commit applied', moment(engine.lastCommitAt)),
    engine && fact('Generation', `${engine.generation ?? '–'}, session ${engine.session ?? '–'}`),
    [status.sourceServer, status.engineServer, status.logServer].filter(s => s).map(s => fact(s.name.split(' ')[0], s.readable ? s.name.split(' ').slice(1).join(' ') : `${s.error} ${s.remedy ?? ''}`, s.readable ? '' : 'bad'))));
}

const fact = (name, value, tone = '') => [h('dt', {}, name), h('dd', { class: tone }, value)];
